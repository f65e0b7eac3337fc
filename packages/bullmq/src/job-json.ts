import type { PostmarkProblem } from '@postmark-smtp/core'

/** A value that JSON preserves. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json }

/** The key that holds the original type of a value. Objects that have this key themselves are written as entries. */
const KIND = '$'

const STREAM_CURE =
  'Read it first and pass a string or a Buffer, or pass a path or a URL that the worker can read.'

/**
 * Converts a value to JSON, with Buffers as base64 and dates in ISO form. Reports each value that would be lost, with its
 * path.
 * @param path the path of the value. @example 'message.attachments[0].content'
 */
export function toJson(value: unknown, path: string, report: (problem: PostmarkProblem) => void): Json {
  return encode(value, path, [], (found, cure) => {
    report({
      path: found.path,
      found: found.what,
      limit: 'a value that JSON can hold',
      cure,
      severity: 'error',
    })
  })
}

type Refuse = (found: { readonly path: string; readonly what: string }, cure: string) => void

function encode(value: unknown, path: string, parents: readonly object[], refuse: Refuse): Json {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value
  if (typeof value === 'number') {
    if (Number.isFinite(value)) return value
    refuse({ path, what: `is ${value}` }, 'Use a finite number.')
    return null
  }
  if (typeof value !== 'object') {
    const cure =
      typeof value === 'function' ? 'Call it before you add the email, and pass its result.' : 'Use a string.'
    refuse({ path, what: `is a ${typeof value}` }, cure)
    return null
  }
  if (value instanceof Uint8Array) return { [KIND]: 'base64', data: Buffer.from(value).toString('base64') }
  if (value instanceof Date && !Number.isNaN(value.getTime()))
    return { [KIND]: 'date', data: value.toISOString() }
  if (parents.includes(value)) {
    refuse({ path, what: 'contains itself' }, 'Remove the circular reference.')
    return null
  }
  const inside = [...parents, value]
  if (Array.isArray(value))
    return value.map((item, index) =>
      item === undefined ? null : encode(item, `${path}[${index}]`, inside, refuse),
    )
  const { what, cure } = strangeness(value)
  if (what) {
    refuse({ path, what }, cure)
    return null
  }
  const entries = Object.entries(value)
    .filter(([, item]) => item !== undefined)
    .map(([key, item]): [string, Json] => [key, encode(item, `${path}.${key}`, inside, refuse)])
  return Object.hasOwn(value, KIND) ? { [KIND]: 'entries', data: entries } : Object.fromEntries(entries)
}

/** Why an object is not a plain one. */
function strangeness(value: object): { readonly what?: string; readonly cure: string } {
  const { pipe, aborted } = value as Readonly<Record<string, unknown>>
  if (typeof pipe === 'function' || value instanceof ReadableStream)
    return { what: 'is a stream', cure: STREAM_CURE }
  if (typeof aborted === 'boolean')
    return {
      what: 'is an AbortSignal',
      cure: 'Leave it out, because the job outlives the caller. To cancel the email, remove the job.',
    }
  if (value instanceof URL) return { what: 'is a URL object', cure: 'Pass its `href`.' }
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype === null || Object.getPrototypeOf(prototype) === null) return { cure: '' }
  const name = value.constructor?.name || 'a class'
  return { what: `is an instance of ${name}`, cure: 'Pass a plain object, a string or a Buffer.' }
}

/** Reads what {@link toJson} wrote. */
export function fromJson(json: Json): unknown {
  if (json === null || typeof json !== 'object') return json
  if (Array.isArray(json)) return json.map(fromJson)
  const object = json as { readonly [key: string]: Json }
  const { [KIND]: kind, data } = object
  if (kind === 'base64') return Buffer.from(String(data), 'base64')
  if (kind === 'date') return new Date(String(data))
  const entries = kind === 'entries' ? (data as readonly [string, Json][]) : Object.entries(object)
  return Object.fromEntries(entries.map(([key, item]) => [key, fromJson(item)]))
}
