/** The ID of a bounce: a number, or its digits as text where JavaScript cannot hold it. @example '4323372036854775807' */
export type BounceId = number | string

/** A key of JSON begins with a quote that no backslash precedes, so this finds nothing inside a string. */
const LONG_ID = /(?<!\\)("ID"\s*:\s*)([1-9]\d{15,})(?![\d.eE])/g

/**
 * Puts each `ID` that JavaScript would round into quotes: JSON.parse changes 4323372036854775807, which is the ID in
 * Postmark's own example of a bounce, into 4323372036854775808.
 * @param json a JSON text
 */
export function quoteLongIds(json: string): string {
  return json.replace(LONG_ID, (found, key: string, digits: string) =>
    Number.isSafeInteger(Number(digits)) ? found : `${key}"${digits}"`,
  )
}

/** The exact ID of a bounce; undefined where there is none, or where it was rounded before it came here. */
export function readBounceId(value: unknown): BounceId | undefined {
  if (Number.isSafeInteger(value)) return value as number
  const digits = typeof value === 'string' || typeof value === 'bigint' ? String(value) : ''
  if (!/^[1-9]\d{0,39}$/.test(digits)) return undefined
  return Number.isSafeInteger(Number(digits)) ? Number(digits) : digits
}

/**
 * Makes a `fetch` whose JSON keeps the ID of every bounce exact, for a client that parses its answers with JSON.parse,
 * as the official `postmark` client from 5.0 on does. Without it, an ID beyond 2^53 is rounded, and `reconcile` hands
 * out the bounce with no `bounceId`.
 * @param fetch makes the request. Default: the global one
 * @example new ServerClient(token, { fetch: exactIds() })
 */
export function exactIds(fetch: typeof globalThis.fetch = globalThis.fetch): typeof globalThis.fetch {
  return async (input, init) => {
    const response = await fetch(input, init)
    const text = await response.text()
    return new Response(text === '' ? null : quoteLongIds(text), response)
  }
}
