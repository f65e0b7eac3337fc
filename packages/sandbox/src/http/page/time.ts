import { html } from 'hono/html'
import type { Markup } from './layout.js'

const two = (value: number) => String(value).padStart(2, '0')
const day = (at: Date) => `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`
const clock = (at: Date) => `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`

/** Whether two times are on the same day, in the time zone of the sandbox. */
export function isSameDay(at: Date, other: Date): boolean {
  return day(at) === day(other)
}

/** The time of day, and the date if it was another day. */
export function shortTime(at: Date, now: Date): Markup {
  return time(at, isSameDay(at, now) ? clock(at) : `${day(at)} ${clock(at)}`)
}

/** Date and time of day. */
export function longTime(at: Date): Markup {
  return time(at, `${day(at)} ${clock(at)}`)
}

function time(at: Date, text: string): Markup {
  return html`<time datetime="${at.toISOString()}">${text}</time>`
}
