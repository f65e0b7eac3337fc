/** The ID of a bounce: a number, or its digits as a string if a number cannot hold it. @example '4323372036854775807' */
export type BounceId = number | string

/** The quote before a JSON key never follows a backslash, so this finds nothing inside a string. */
const LONG_ID = /(?<!\\)("ID"\s*:\s*)([1-9]\d{15,})(?![\d.eE])/g

/**
 * Puts each `ID` that JavaScript would round in quotes: JSON.parse changes 4323372036854775807, the ID in Postmark's
 * own example of a bounce, to 4323372036854775808.
 * @param json a JSON text
 */
export function quoteLongIds(json: string): string {
  return json.replace(LONG_ID, (found, key: string, digits: string) =>
    Number.isSafeInteger(Number(digits)) ? found : `${key}"${digits}"`,
  )
}

/** The exact ID of a bounce; undefined if there is none, or if it has already been rounded. */
export function readBounceId(value: unknown): BounceId | undefined {
  if (Number.isSafeInteger(value)) return value as number
  const digits = typeof value === 'string' || typeof value === 'bigint' ? String(value) : ''
  if (!/^[1-9]\d{0,39}$/.test(digits)) return undefined
  return Number.isSafeInteger(Number(digits)) ? Number(digits) : digits
}

/**
 * Returns a `fetch` whose JSON keeps every bounce ID exact. Use it with a client that parses responses with JSON.parse,
 * as the official `postmark` client does from 5.0 on. Without it, an ID beyond 2^53 is rounded, and `reconcile` returns
 * the bounce without a `bounceId`.
 * @param fetch makes the request. Default: the global `fetch`
 * @example new ServerClient(token, { fetch: exactIds() })
 */
export function exactIds(fetch: typeof globalThis.fetch = globalThis.fetch): typeof globalThis.fetch {
  return async (input, init) => {
    const response = await fetch(input, init)
    const text = await response.text()
    return new Response(text === '' ? null : quoteLongIds(text), response)
  }
}
