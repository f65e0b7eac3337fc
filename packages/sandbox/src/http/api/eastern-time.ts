const HOUR = 3_600_000

const OFFSET = new Intl.DateTimeFormat('en-US', { timeZone: 'America/New_York', timeZoneName: 'longOffset' })

/** The offset of Eastern time from UTC, in hours: -5, or -4 in summer. */
function offsetHours(time: number): number {
  const zone = OFFSET.formatToParts(time).find(({ type }) => type === 'timeZoneName')?.value
  return zone === 'GMT-04:00' ? -4 : -5
}

/**
 * Formats a time as in streams and suppressions, or with a fraction as in messages.
 * @example '2026-07-01T04:30:00-04:00', '2026-07-01T04:30:00.1230000-04:00'
 */
export function toEastern(date: Date, fraction = false): string {
  const hours = offsetHours(date.getTime())
  const wall = new Date(date.getTime() + hours * HOUR).toISOString()
  return `${fraction ? `${wall.slice(0, 23)}0000` : wall.slice(0, 19)}-0${-hours}:00`
}

const DATE_TIME = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d)(?::(\d\d)(?:\.\d+)?)?)?$/

/**
 * The first and the last moment that a `fromdate` or `todate` means: a day, a minute or a second, in Eastern time unless
 * it names a zone. Undefined if it is not a date.
 */
export function readEastern(text: string): { first: number; last: number } | undefined {
  if (/T.*(?:Z|[+-]\d\d:?\d\d)$/i.test(text)) {
    const time = Date.parse(text)
    return Number.isNaN(time) ? undefined : { first: time, last: time }
  }
  const [, day, minute, second] = DATE_TIME.exec(text) ?? []
  if (day === undefined) return undefined
  const first = Date.parse(`${day}T${minute ?? '00:00'}:${second ?? '00'}Z`)
  if (Number.isNaN(first)) return undefined
  const length = minute === undefined ? 24 * HOUR : second === undefined ? 60_000 : 1000
  return { first: fromWall(first), last: fromWall(first + length - 1) }
}

/** The moment at which a clock in New York shows this. If an hour occurs twice, the second one (standard time). */
function fromWall(wall: number): number {
  const standard = wall + 5 * HOUR
  return offsetHours(standard) === -5 ? standard : wall + 4 * HOUR
}
