const MAX_BYTES = 10_485_760

/** How bitmap images begin, in hexadecimal digits. SVG is not one of them, because it can contain scripts. */
const BEGINNINGS: readonly (readonly [type: string, pattern: RegExp])[] = [
  ['image/png', /^89504e470d0a1a0a/],
  ['image/jpeg', /^ffd8ff/],
  ['image/gif', /^47494638(?:37|39)61/],
  ['image/webp', /^52494646.{8}57454250/],
]

/** The type under which a file may be shown in the page. It depends on the bytes, not on what the email says. */
export function inlineImageType(content: Buffer): string | undefined {
  const start = content.toString('hex', 0, 16)
  return content.length <= MAX_BYTES ? BEGINNINGS.find(([, pattern]) => pattern.test(start))?.[0] : undefined
}
