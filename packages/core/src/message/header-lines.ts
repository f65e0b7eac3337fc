import type { HeaderEntry } from '../fields/header-entries.js'
import { isPostmarkHeader } from './header-shapes.js'
import { toHeaderLine } from './nodemailer.js'

/** RFC 5322 §2.1.1: the maximum number of characters in a line, without its line break. */
const LONGEST_LINE = 998

/**
 * Header lines as they are sent. Nodemailer would fold a line at 76 characters and encode one that has a quotation
 * mark. Postmark does not document whether it unfolds or decodes, so a line of printable ASCII that is short enough
 * stays as it is. All others are encoded and folded.
 */
export function toHeaderLines(entries: readonly HeaderEntry[]): string[] {
  return entries
    .filter(({ value }) => value.trim() !== '')
    .map(({ key, value }) => (isPlain(key, value) ? `${key}: ${value}` : toHeaderLine(key, value)))
}

function isPlain(name: string, value: string): boolean {
  return name.length + 2 + value.length <= LONGEST_LINE && /^[ -~]*$/.test(value)
}

/** The fields of a header block, each with its continuation lines. */
export function splitBlock(block: string): string[] {
  return block.split(/\r\n(?![ \t])/)
}

/** Inserts our lines into a header block, replacing Nodemailer's version of the same headers. */
export function replacePostmarkLines(block: string, lines: readonly string[]): string {
  let others = ''
  let kept = 0
  for (let start = 0; start < block.length; ) {
    const end = endOfField(block, start)
    if (isPostmarkHeader(block.slice(start, block.indexOf(':', start)))) {
      others += block.slice(kept, start)
      kept = end
    }
    start = end
  }
  if (kept === 0 && lines.length === 0) return block
  others += block.slice(kept)
  // If the last field was one of ours, its preceding line break is left.
  if (others.endsWith('\r\n')) others = others.slice(0, -2)
  return (others === '' ? lines : [...lines, others]).join('\r\n')
}

/** The start of the next field. */
function endOfField(block: string, start: number): number {
  for (let at = start; ; ) {
    const end = block.indexOf('\r\n', at)
    if (end < 0) return block.length
    at = end + 2
    const next = block.charCodeAt(at)
    if (next !== 32 && next !== 9) return at
  }
}
