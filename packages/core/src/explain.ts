import { contextLevels } from './context.js'
import type { Level } from './merge-fields.js'
import { foldLevels } from './merge-fields.js'
import { readHeaders, splitHeaders } from './message-headers.js'
import { readFields } from './read-fields.js'

/** Where a value comes from: a header of the message, its `postmark`, or a scope, counted from the innermost. */
export interface FieldOrigin {
  readonly value: unknown
  readonly level: 'headers' | 'postmark' | `context[${number}]`
}

/**
 * Tells which level supplies each field of a message that would be sent here; defaults of a transporter come
 * behind all of them. `null` is a value that was cleared.
 * @example explainPostmark({ postmark: { tag: 'welcome' } }) // { tag: { value: 'welcome', level: 'postmark' } }
 */
export function explainPostmark(message: object): Readonly<Record<string, FieldOrigin>> {
  const { postmark, headers } = message as { postmark?: unknown; headers?: unknown }
  const context = contextLevels()
  const levels: readonly Level[] = [
    ...context.map(({ fields, scope }) => ({ name: `context[${scope}]`, fields })),
    { name: 'postmark', fields: readFields(postmark, 'postmark').fields },
    { name: 'headers', fields: readHeaders(splitHeaders(headers).postmark, 'headers').fields },
  ]
  const { fields, metadata } = foldLevels(levels.map((level) => level.fields))
  const origin = (value: unknown, level: number) => ({
    value,
    level: levels[level]!.name as FieldOrigin['level'],
  })
  return Object.fromEntries([
    ...[...fields].map(([field, { value, level }]) => [field, origin(value, level)]),
    ...[...metadata.values()].map(({ key, value, level }) => [`metadata.${key}`, origin(value, level)]),
  ])
}
