import { describe } from '../problems/describe.js'
import type { Report } from '../problems/problem.js'

/** One line of text without control characters: the form every value has on the wire. */
export function readText(
  value: unknown,
  path: string,
  maxLength: number,
  report: Report,
): string | undefined {
  let text: string
  if (typeof value === 'string') text = value
  else if (typeof value === 'boolean' || (typeof value === 'number' && Number.isFinite(value)))
    text = String(value)
  else {
    report({
      path,
      found: `is ${describe(value)}`,
      limit: 'a string, a finite number or a boolean',
      cure: 'Convert it to a string first.',
    })
    return undefined
  }
  if (!/^[ -~]*$/.test(text)) text = readUnprintable(text, path, report)
  text = text.trim()
  if (text === '') {
    report({
      path,
      found: 'is empty',
      limit: 'at least one character',
      cure: 'It is omitted: a header without a value is not sent. Use null to clear a value.',
      severity: 'warning',
    })
    return undefined
  }
  if (text.length > maxLength) {
    report({
      path,
      found: `has ${text.length} characters`,
      limit: `at most ${maxLength} characters`,
      cure: 'Shorten it, or set preflight: "fit".',
    })
  }
  return text
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for
const CONTROLS = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g

function readUnprintable(text: string, path: string, report: Report): string {
  const clean = text.toWellFormed().replace(CONTROLS, ' ')
  if (clean !== text) {
    report({
      path,
      found: 'has a line break or another control character',
      limit: 'one line of text',
      cure: 'Remove it: a line break ends a header line.',
    })
  }
  if (!/^[ -~]*$/.test(clean)) {
    report({
      path,
      found: 'has characters outside printable ASCII',
      limit: 'printable ASCII',
      cure: 'It is sent encoded (RFC 2047). Postmark does not document whether it decodes that, so use ASCII to be safe.',
      severity: 'warning',
    })
  }
  return clean
}
