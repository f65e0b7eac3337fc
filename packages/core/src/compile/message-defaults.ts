import { foldLevels, toFields } from '../fields/merge-fields.js'
import { readFields } from '../fields/read-fields.js'
import { cloneMessage } from '../message/clone-message.js'
import { type HeaderPair, joinHeaders, listHeaders, splitHeaders } from '../message/header-shapes.js'
import { readHeaders } from '../message/message-headers.js'
import { optionError } from '../problems/check-options.js'
import { isRecord } from '../problems/describe.js'
import { problemsError } from '../problems/error.js'
import type { ParsedPostmarkFields } from '../vocabulary/vocabulary.js'

/** Default fields for messages: Nodemailer's and Postmark's, each in its place. */
export interface MessageDefaults {
  /** Added to a message that has no field of this name. Excludes `headers` and `postmark`. */
  readonly fields: Readonly<Record<string, unknown>>
  /** Headers that are added to a message unless it has one of this name. */
  readonly headers: readonly HeaderPair[]
  /** From `postmark`, and from headers. */
  readonly postmark: ParsedPostmarkFields
}

/**
 * Reads default fields for messages; `undefined` means none.
 * @throws PostmarkError ERR_POSTMARK_OPTIONS, ERR_POSTMARK_FIELDS
 */
export function readMessageDefaults(input: unknown): MessageDefaults | undefined {
  if (input === undefined) return undefined
  if (!isRecord(input)) throw optionError('message', input, 'an object such as { from: "shop@example.com" }')
  const { postmark, headers, ...fields } = cloneMessage(input)
  const split = splitHeaders(headers)
  const given = readFields(postmark, 'message.postmark')
  const explicit = readHeaders(split.postmark, 'message.headers')
  const errors = [...given.problems, ...explicit.problems].filter(({ severity }) => severity === 'error')
  if (errors.length > 0) throw problemsError('ERR_POSTMARK_FIELDS', errors)
  const newer = explicit.kept.map(({ name, value }) => ({ key: name, value }))
  return {
    fields,
    headers: [...listHeaders(split.rest), ...newer],
    postmark: toFields(foldLevels([given.fields, explicit.fields])),
  }
}

/**
 * Adds defaults to the copy of a message if neither the message nor the transporter has a field or header of that name.
 * Each copy gets its own objects, because Nodemailer writes into them.
 * @param nearer the transporter's defaults, which Nodemailer applies itself
 */
export function applyDefaults(
  copy: Record<string, unknown>,
  { fields, headers }: MessageDefaults,
  nearer: Readonly<Record<string, unknown>> = {},
): void {
  const fresh = cloneMessage(fields)
  for (const key in fresh)
    if (!Object.hasOwn(copy, key) && !Object.hasOwn(nearer, key)) copy[key] = fresh[key]
  if (headers.length === 0) return
  const taken = new Set(
    [...listHeaders(copy.headers), ...listHeaders(nearer.headers)].map(({ key }) => key.trim().toLowerCase()),
  )
  copy.headers = joinHeaders(
    copy.headers,
    headers.filter(({ key }) => !taken.has(key.trim().toLowerCase())),
  )
}
