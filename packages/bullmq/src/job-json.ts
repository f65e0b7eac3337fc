import type { PostmarkProblem } from '@postmark-smtp/core'

/** What survives JSON as it is. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json }

/** The key under which a value says what it was; objects that have it themselves are written as entries. */
const KIND = '$'

const STREAM_CURE =
  'Read it first and give text or a Buffer, or give a path or a URL that the worker can read.'

/**
 * Writes a value as JSON: Buffers as base64, dates as such. What would not survive is reported with its place.
 * @param path where the value is. @example 'message.attachments[0].content'
 */
export function toJson(value: unknown, path: string, report: (problem: PostmarkProblem) => void): Json {
  return encode(value, path, [], (found, cure) => {
    report({ path: found.path, found: found.what, limit: 'what JSON can hold', cure, severity: 'error' })
  })
}

type Refuse = (found: { readonly path: string; readonly what: string }, cure: string) => void

function encode(value: unknown, path: string, parents: readonly object[], refuse: Refuse): Json {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value
  if (typeof value === 'number') {
    if (Number.isFinite(value)) return value
    refuse({ path, what: `is ${value}` }, 'Give a finite number.')
    return null
  }
  if (typeof value !== 'object') {
    const cure =
      typeof value === 'function'
        ? 'Call it before the mail goes into the queue, and give its result.'
        : 'Give a text.'
    refuse({ path, what: `is a ${typeof value}` }, cure)
    return null
  }
  if (value instanceof Uint8Array) return { [KIND]: 'base64', data: Buffer.from(value).toString('base64') }
  if (value instanceof Date && !Number.isNaN(value.getTime()))
    return { [KIND]: 'date', data: value.toISOString() }
  if (parents.includes(value)) {
    refuse({ path, what: 'contains itself' }, 'Leave out what leads back.')
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

/** Why an object is no plain one. */
function strangeness(value: object): { readonly what?: string; readonly cure: string } {
  const { pipe, aborted } = value as Readonly<Record<string, unknown>>
  if (typeof pipe === 'function' || value instanceof ReadableStream)
    return { what: 'is a stream', cure: STREAM_CURE }
  if (typeof aborted === 'boolean')
    return {
      what: 'is an AbortSignal',
      cure: 'Leave it out: the job outlives the caller. Remove the job instead.',
    }
  if (value instanceof URL) return { what: 'is a URL object', cure: 'Give its `href`.' }
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype === null || Object.getPrototypeOf(prototype) === null) return { cure: '' }
  const name = value.constructor?.name || 'a class'
  return { what: `is an instance of ${name}`, cure: 'Give a plain object, a text or a Buffer.' }
}

/** Reads what {@link toJson} has written. */
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
