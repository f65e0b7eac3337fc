/**
 * Turns what was thrown or passed as an error into an Error. Callers may throw anything, including an error of another
 * realm, or nothing.
 */
export function toError(thrown: unknown): Error {
  if (thrown instanceof Error) return thrown
  const { message, code } = Object(thrown) as { message?: unknown; code?: unknown }
  const text =
    typeof message === 'string'
      ? message
      : typeof thrown === 'string'
        ? thrown
        : 'a value that is not an error'
  const error = new Error(text, { cause: thrown })
  return code === undefined ? error : Object.assign(error, { code })
}
