import type { HeaderEntry } from '../fields/header-entries.js'
import { isPostmarkHeader } from './header-shapes.js'
import { toHeaderLine } from './nodemailer.js'

/** RFC 5322 §2.1.1: the most characters that a line may have, without its line break. */
const LONGEST_LINE = 998

/**
 * Header lines as they go out. Nodemailer would fold a line at 76 characters, and encode one that has a quotation
 * mark; nobody documents that Postmark unfolds or decodes, so a line of printable ASCII that is short enough stays as
 * it is. Any other is encoded and folded.
 */
export function toHeaderLines(entries: readonly HeaderEntry[]): string[] {
  return entries
    .filter(({ value }) => value.trim() !== '')
    .map(({ key, value }) => (isPlain(key, value) ? `${key}: ${value}` : toHeaderLine(key, value)))
}

function isPlain(name: string, value: string): boolean {
  return name.length + 2 + value.length <= LONGEST_LINE && /^[ -~]*$/.test(value)
}

/** The fields of a header block, each with the lines that continue it. */
export function splitBlock(block: string): string[] {
  return block.split(/\r\n(?![ \t])/)
}

/** Puts our lines into a header block, in place of what Nodemailer made of the same headers. */
export function replacePostmarkLines(block: string, lines: readonly string[]): string {
  const others = splitBlock(block).filter((line) => !isPostmarkHeader(line.slice(0, line.indexOf(':'))))
  return [...lines, ...others].join('\r\n')
}
