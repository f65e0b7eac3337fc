const CONTROLS = /[\p{Cc}\u200e\u200f\u2028-\u202e\u2066-\u2069]/gu
const CONTROLS_IN_TEXT = /[^\P{Cc}\n\t]|[\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu

/** What a mail says, on one line: no control characters, no change of the writing direction, no endless text. */
export function printable(text: string, maxLength = 200): string {
  return cut(text, maxLength).replace(CONTROLS, '\ufffd')
}

/** The same for text of many lines. */
export function printableLines(text: string, maxLength: number): string {
  return cut(text, maxLength).replaceAll('\r\n', '\n').replace(CONTROLS_IN_TEXT, '\ufffd')
}

function cut(text: string, maxLength: number): string {
  return text.length > maxLength ? `${text.slice(0, maxLength - 1)}…` : text
}
