const CONTROLS = /[\p{Cc}\u200e\u200f\u2028-\u202e\u2066-\u2069]/gu
const CONTROLS_IN_TEXT = /[^\P{Cc}\n\t]|[\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu

/** Makes a text safe to show on one line: no control characters, no changes of the writing direction, not too long. */
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
