import type { PostmarkProblem } from '../problems/problem.js'
import { FORBIDDEN_ATTACHMENT, INVALID_REQUEST } from '../problems/problem.js'
import { quote } from '../problems/quote.js'
import { REST_ANSWERS, refusedByRest } from '../vocabulary/api-errors.js'
import { FORBIDDEN_EXTENSIONS, MESSAGE_LIMITS } from '../vocabulary/limits.js'
import { toBase64Bytes } from './content-size.js'
import type { MessagePart } from './message-parts.js'
import type { OutgoingName } from './outgoing-name.js'

/**
 * Checks the names and sizes of the parts of a message. Readables, files and URLs are not read: only their names are
 * checked.
 */
export function checkParts(parts: readonly MessagePart[]): PostmarkProblem[] {
  return [...checkNames(parts), ...checkOnlyPart(parts), ...checkSizes(parts), ...checkBodies(parts)]
}

/** Checks the names of the parts of a message. */
export function checkNames(parts: readonly MessagePart[]): PostmarkProblem[] {
  return parts.flatMap(checkName)
}

function checkName({ path, name }: MessagePart): PostmarkProblem[] {
  const extension = name && extensionOf(name.name)
  if (!extension || !FORBIDDEN_EXTENSIONS.has(extension)) return []
  return [
    {
      path: name.from === 'filename' ? `${path}.filename` : path,
      found: foundName(name, extension),
      limit: 'a file type that Postmark accepts',
      cure: name.from
        ? 'Put the file in an archive, or link to it.'
        : 'Set a `filename` with the right extension, put the file in an archive, or link to it.',
      severity: 'error',
      errorCode: FORBIDDEN_ATTACHMENT,
    },
  ]
}

/**
 * Nodemailer writes no header lines for a message whose only part is raw: From and the Postmark headers would be lost.
 */
function checkOnlyPart(parts: readonly MessagePart[]): PostmarkProblem[] {
  const [only] = parts
  if (!only || !parts.every(({ path, isRaw }) => isRaw && path === only.path)) return []
  return [
    {
      path: `${only.path}.raw`,
      found:
        'is the only part, so Nodemailer sends it instead of the message, without From and other headers',
      limit: 'text or html in addition to a raw part',
      cure: 'Add text, pass the part as `content`, or pass the whole message as `raw`.',
      severity: 'error',
      errorCode: INVALID_REQUEST,
    },
  ]
}

function extensionOf(name: string): string {
  const dot = name.lastIndexOf('.')
  return dot < 0
    ? ''
    : name
        .slice(dot + 1)
        .trim()
        .toLowerCase()
}

function foundName({ name, from }: OutgoingName, extension: string): string {
  if (from === 'filename') return `ends in .${extension}`
  return from === 'raw'
    ? `has the file name ${quote(name)}`
    : `has no file name, so Nodemailer sends it as ${quote(name)}`
}

function checkSizes(parts: readonly MessagePart[]): PostmarkProblem[] {
  const problems: PostmarkProblem[] = []
  const refuse = (path: string, found: string, most: number, cure: string) =>
    problems.push({
      path,
      found,
      limit: `at most ${most} bytes`,
      cure,
      severity: 'error',
      errorCode: INVALID_REQUEST,
    })
  const { bodyBytes, messageBytes } = MESSAGE_LIMITS
  let total = 0
  for (const { path, kind, size } of parts) {
    const bytes = size()
    total += kind === 'file' ? toBase64Bytes(bytes) : bytes
    if (kind !== 'file' && bytes > bodyBytes)
      refuse(path, `has ${bytes} bytes`, bodyBytes, 'Shorten it, or link to it.')
  }
  if (total > messageBytes)
    refuse(
      'message',
      `has ${total} bytes, counting attachments in base64`,
      messageBytes,
      'Link to large files.',
    )
  return problems
}

function checkBodies(parts: readonly MessagePart[]): PostmarkProblem[] {
  if (parts.some(({ kind, isBlank }) => kind !== 'file' && !isBlank())) return []
  return [
    {
      path: 'text',
      found: 'is missing, and so is html',
      limit: 'text, html, or both',
      cure: `Set one of them. ${refusedByRest(REST_ANSWERS.noBody)}`,
      severity: 'warning',
    },
  ]
}
