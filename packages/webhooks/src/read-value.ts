/** A JSON object of unknown content. */
export type Raw = Readonly<Record<string, unknown>>

/** Whether a value is an object with keys, and not an array. */
export function isObject(value: unknown): value is Raw {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** A string that is not empty. */
export function readText(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}

/** A whole number that JavaScript can represent exactly. */
export function readNumber(value: unknown): number | undefined {
  return Number.isSafeInteger(value) ? (value as number) : undefined
}

/** Date.parse finds a year in almost any text. */
const DATE = /^(\d{4}-\d\d-\d\d|([a-z]{3}, ?)?\d{1,2} [a-z]{3} \d{4})/i
const NO_ZONE = /T[\d:.]+$/

/** A date: ISO 8601 with any number of fraction digits, or as in an email. Without a zone it is UTC, on any machine. */
export function readTime(value: unknown): Date | undefined {
  if (typeof value !== 'string' || value.length > 64 || !DATE.test(value)) return undefined
  const time = new Date(NO_ZONE.test(value) ? `${value}Z` : value)
  return Number.isNaN(time.getTime()) ? undefined : time
}

/** Metadata as strings. The object has no prototype, so a key named `__proto__` is a key like any other. */
export function readMetadata(value: unknown): Readonly<Record<string, string>> {
  const metadata: Record<string, string> = Object.create(null)
  for (const [key, item] of isObject(value) ? Object.entries(value) : []) {
    if (['string', 'number', 'boolean'].includes(typeof item)) metadata[key] = String(item)
  }
  return Object.freeze(metadata)
}

/** A metadata value by its key. Case is ignored, because it is not documented whether Postmark keeps it. */
export function findMetadata(metadata: Readonly<Record<string, string>>, key: string): string | undefined {
  const wanted = key.toLowerCase()
  for (const [name, value] of Object.entries(metadata))
    if (name.toLowerCase() === wanted) return readText(value)
  return undefined
}
