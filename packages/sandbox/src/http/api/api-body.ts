import { API_CODES, apiError } from './api-error.js'
import type { JsonObject } from './api-route.js'

/**
 * Reads the body of a request; an empty one is `{}`. As at Postmark, the case of keys is ignored at any depth: the Ruby
 * client sends `Id`, but the documents say `ID`.
 */
export function readBody(text: string): JsonObject {
  if (text.trim() === '') return {}
  let value: unknown
  try {
    value = JSON.parse(text, (_key, inner: unknown) => (isObject(inner) ? ignoringCase(inner) : inner))
  } catch {
    throw apiError(API_CODES.invalidJson, 'Received invalid JSON input.')
  }
  if (isObject(value)) return value
  throw apiError(API_CODES.incompatibleJson, 'The body must be a JSON object.')
}

/** A value as a string; an empty one if there is none. Refuses objects and lists, because some cannot become a string. */
export function toText(value: unknown, name: string): string {
  if (typeof value !== 'object' || value === null) return String(value ?? '')
  throw apiError(API_CODES.incompatibleJson, `'${name}' must be a string.`)
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** If two keys differ only in case, the last one counts. */
function ignoringCase(object: JsonObject): JsonObject {
  const values = new Map(Object.entries(object).map(([key, value]) => [key.toLowerCase(), value]))
  return new Proxy(object, {
    get: (_object, key) => (typeof key === 'string' ? values.get(key.toLowerCase()) : undefined),
  })
}
