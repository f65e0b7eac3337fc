/** What the server calls itself. */
export const HOST_NAME = 'smtp.sandbox'

/** The mechanisms that EHLO lists, as Postmark does. */
export const MECHANISMS: readonly string[] = ['PLAIN', 'LOGIN', 'CRAM-MD5']

/** The size of a message, in bytes, that Postmark's SMTP announces and accepts. */
export const SIZE_LIMIT = 20_480_000
