import { isRecord } from '../problems/describe.js'
import type { PostmarkProblem } from '../problems/problem.js'
import { INVALID_REQUEST } from '../problems/problem.js'
import { HEADER_PREFIX } from '../vocabulary/vocabulary.js'
import { splitBlock } from './header-lines.js'
import { isPostmarkHeader } from './header-shapes.js'
import type { MimeNode } from './nodemailer-types.js'

/** Control characters of ASCII and C1 including NEL, and the line breaks of Unicode, but not the tab. */
const CONTROL = '\\0-\\u0008\\n-\\u001f\\u007f-\\u009f\\u2028\\u2029'
const HAS_CONTROL = new RegExp(`[${CONTROL}]`)
const UNSAFE_ADDRESS = new RegExp(`[${CONTROL}<>]`)
/** A valid header block: fields as defined below, separated by line breaks. */
const BLOCK = new RegExp(`^(?:[!-9;-~]+:[^${CONTROL}]*(?:\\r\\n[ \\t][^${CONTROL}]*)*(?:\\r\\n(?!$)|$))*$`)
/** The names of Postmark headers in a valid block. */
const POSTMARK_NAMES = new RegExp(`^${HEADER_PREFIX}[^:]*`, 'gim')
/** A header field: an RFC 5322 name, and a value in which a line break only occurs before white space. */
const FIELD = new RegExp(`^[!-9;-~]+:(?:[^${CONTROL}]|\\r\\n[ \\t])*$`)
const VALUE = new RegExp(`^(?:[^${CONTROL}]|\\r\\n[ \\t])*$`)

const COLON = 58
const EMPTY_LINES = /(?:\r\n[ \t]+)+(?=\r\n)/g

/**
 * Removes lines that contain only white space. Nodemailer creates them from long runs of spaces, and some readers treat
 * them as the end of the headers.
 */
export function dropEmptyLines(block: string): string {
  return block.replace(EMPTY_LINES, '')
}

/**
 * Finds what must not reach a server in the header block that Nodemailer built: a control character, a line that is not
 * a header, or a header injected through the value of another. This applies in every preflight mode.
 * @param ours the Postmark header lines that the compile step determined; undefined for a part
 */
export function checkHead(
  node: MimeNode,
  block: string,
  ours: readonly string[] | undefined,
): readonly PostmarkProblem[] {
  const problems: PostmarkProblem[] = []
  for (const { key, value } of node._headers ?? []) {
    // Nodemailer sanitizes all other values.
    if (isRecord(value) && value.prepared && !VALUE.test(String(value.value ?? '')))
      problems.push(controlProblem(key))
  }
  if (problems.length > 0 || block === '') return problems
  if (!BLOCK.test(block)) {
    for (const field of splitBlock(block)) {
      const name = field.slice(0, Math.max(0, field.indexOf(':')))
      if (!FIELD.test(field)) problems.push(isName(name) ? controlProblem(name) : nameProblem(field))
      else if (ours && isPostmarkHeader(name) && !isOurs(name, ours)) problems.push(lateProblem(name))
    }
  } else if (ours) {
    for (const name of block.match(POSTMARK_NAMES) ?? [])
      if (!isOurs(name, ours)) problems.push(lateProblem(name))
  }
  if (HAS_CONTROL.test(node.boundary || '')) problems.push(controlProblem('boundary'))
  return problems
}

function isOurs(name: string, lines: readonly string[]): boolean {
  const { length } = name
  const isLine = (line: string) =>
    line.charCodeAt(length) === COLON &&
    (line.startsWith(name) || line.slice(0, length).toLowerCase() === name.toLowerCase())
  return lines.some(isLine)
}

/** The same for the addresses of the envelope, which are used in commands. */
export function checkEnvelope({
  from,
  to,
}: {
  readonly from: unknown
  readonly to: unknown
}): PostmarkProblem[] {
  const problems: PostmarkProblem[] = []
  if (from && isBad(from)) problems.push(addressProblem('envelope.from'))
  if (Array.isArray(to) && to.some(isBad)) problems.push(addressProblem('envelope.to'))
  return problems
}

function isBad(address: unknown): boolean {
  return UNSAFE_ADDRESS.test(String(address))
}

function isName(name: string): boolean {
  return /^[!-9;-~]+$/.test(name)
}

function controlProblem(name: string): PostmarkProblem {
  return refuse(
    `headers[${JSON.stringify(name)}]`,
    'contains a line break or another control character',
    'text, with a line break only before white space',
    'Remove it.',
  )
}

function nameProblem(field: string): PostmarkProblem {
  return refuse(
    `headers[${JSON.stringify(field.slice(0, 40))}]`,
    'is not a header name',
    'printable ASCII without spaces or colons',
    'Correct the name.',
  )
}

function lateProblem(name: string): PostmarkProblem {
  return refuse(
    `headers[${JSON.stringify(name)}]`,
    'was added after the Postmark headers were determined',
    'headers that exist when the compile step runs',
    'Set it in `headers` or in `postmark`. If a plugin adds it, register that plugin before attachPostmark.',
  )
}

function addressProblem(path: string): PostmarkProblem {
  return refuse(
    path,
    'contains a control character, < or >',
    'an address that can be used in an SMTP command',
    'Remove it.',
  )
}

function refuse(path: string, found: string, limit: string, cure: string): PostmarkProblem {
  return { path, found, limit, cure, severity: 'error', errorCode: INVALID_REQUEST }
}
