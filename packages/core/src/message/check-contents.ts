import { describe, isRecord } from '../problems/describe.js'
import type { PostmarkProblem } from '../problems/problem.js'
import { INVALID_REQUEST, NO_PROBLEMS } from '../problems/problem.js'
import { isStream } from './stream-content.js'

const CONTENTS = ['text', 'html', 'watchHtml', 'amp', 'icalEvent', 'raw'] as const
const LISTS = ['attachments', 'alternatives'] as const

/** Whether a message contains more than strings and addresses, which must be checked. */
export function holdsMoreThanText(message: Readonly<Record<string, unknown>>): boolean {
  const isMore = (field: string) => message[field] && typeof message[field] !== 'string'
  return CONTENTS.some(isMore) || LISTS.some(isMore)
}

/**
 * Finds content that Nodemailer cannot read. It would fail while composing, and in versions 7 to 9 where nobody can
 * catch it.
 */
export function checkContents(message: Readonly<Record<string, unknown>>): readonly PostmarkProblem[] {
  const problems: PostmarkProblem[] = []
  for (const field of CONTENTS) {
    const value = message[field]
    if (isRecord(value) && !isStream(value) && holdsContent(value)) checkHolder(value, field, problems)
    else if (!isReadable(value)) problems.push(unreadable(value, field))
  }
  for (const field of LISTS) {
    const list = message[field]
    if (!list) continue
    const entries = Array.isArray(list) ? list : [list]
    for (let index = 0; index < entries.length; index++) {
      const entry: unknown = entries[index]
      const path = `${field}[${index}]`
      if (!isRecord(entry)) problems.push(unreadable(entry, path))
      else checkHolder(entry, path, problems)
    }
  }
  return problems.length > 0 ? problems : NO_PROBLEMS
}

function checkHolder(
  holder: Readonly<Record<string, unknown>>,
  path: string,
  problems: PostmarkProblem[],
): void {
  for (const part of ['content', 'raw'] as const) {
    if (!isReadable(holder[part])) problems.push(unreadable(holder[part], `${path}.${part}`))
  }
  for (const place of ['path', 'href'] as const) {
    const value = holder[place]
    if (value && typeof value !== 'string') problems.push(unreadable(value, `${path}.${place}`))
  }
}

function holdsContent(value: Readonly<Record<string, unknown>>): boolean {
  return Boolean(value.content || value.path || value.href || value.raw)
}

function isReadable(value: unknown): boolean {
  if (!value || typeof value === 'string') return true
  if (typeof value !== 'object') return false
  if (ArrayBuffer.isView(value) || isStream(value)) return true
  const { path, href } = value as { path?: unknown; href?: unknown }
  return typeof (path || href) === 'string'
}

function unreadable(value: unknown, path: string): PostmarkProblem {
  return {
    path,
    found: `is ${describe(value)}`,
    limit: 'a string, bytes, a stream, or an object with content, path or href',
    cure: 'Use one of these.',
    severity: 'error',
    errorCode: INVALID_REQUEST,
  }
}
