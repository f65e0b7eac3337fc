import type { Finding, Level } from '../finding.js'

/** Colours a text by an SGR code, or leaves it. */
export type Paint = (code: number, text: string) => string

const MARKS: Readonly<Record<Level, readonly [mark: string, colour: number]>> = {
  fine: ['✔', 32],
  warning: ['!', 33],
  fault: ['✖', 31],
  skipped: ['-', 2],
}

/**
 * A finding as a line for a terminal. A fault or a warning has three more lines: cause, cure and link.
 * @example '✔ Login: smtp.postmarkapp.com accepts the server token'
 */
export function toLines({ level, title, text, cause, cure, link }: Finding, paint: Paint): string {
  const [mark, colour] = MARKS[level]
  const said = toText(level === 'skipped' ? `skipped because ${text}` : text)
  const lines = Object.entries({ cause, cure, see: link }).map(([name, detail]) =>
    detail === undefined ? '' : `    ${name.padEnd(5)} ${toText(detail)}\n`,
  )
  return `${paint(colour, mark)} ${title}: ${said}\n${lines.join('')}`
}

/** Removes control characters and changes of writing direction, so that a server cannot control the terminal. */
export function toText(text: string): string {
  const harmless = text
    .trim()
    .replaceAll(/\s+/g, ' ')
    .replaceAll(/[\p{Cc}\u200e\u200f\u2028-\u202e\u2066-\u2069]/gu, '\ufffd')
  return harmless.length > 400 ? `${harmless.slice(0, 399)}…` : harmless
}
