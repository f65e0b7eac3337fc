const HOUR_MS = 3_600_000
const SECOND_MS = 1000

const format = new Intl.DateTimeFormat('en-US', {
  timeZone: 'America/New_York',
  hourCycle: 'h23',
  year: 'numeric',
  month: '2-digit',
  day: '2-digit',
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
})

/**
 * An Eastern time that is not after the instant. In the hour that occurs twice in autumn, a time names two instants, and
 * it is not documented which of them Postmark uses: the result is then the second before that hour.
 */
export function toEasternFloor(ms: number): string {
  const second = Math.floor(ms / SECOND_MS) * SECOND_MS
  const isTwice = toEastern(second) === toEastern(second + HOUR_MS)
  return toEastern(isTwice ? floorHour(second) - SECOND_MS : second)
}

/** An Eastern time that is not before the instant; in the hour that occurs twice, the end of that hour. */
export function toEasternCeil(ms: number): string {
  const second = Math.ceil(ms / SECOND_MS) * SECOND_MS
  const isTwice = toEastern(second) === toEastern(second - HOUR_MS)
  return toEastern(isTwice ? floorHour(second) + HOUR_MS : second)
}

/** Eastern time differs from UTC by whole hours. */
function floorHour(ms: number): number {
  return Math.floor(ms / HOUR_MS) * HOUR_MS
}

function toEastern(ms: number): string {
  const parts = Object.fromEntries(format.formatToParts(ms).map(({ type, value }) => [type, value]))
  const { year, month, day, hour, minute, second } = parts
  return `${year}-${month}-${day}T${hour}:${minute}:${second}`
}
