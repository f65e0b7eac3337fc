/** What the server calls itself. */
export const HOST_NAME = 'smtp.sandbox'

/** The mechanisms that EHLO lists, as Postmark does. */
export const MECHANISMS: readonly string[] = ['PLAIN', 'LOGIN', 'CRAM-MD5']

/** Bytes of a whole message that Postmark's SMTP announces and takes. */
export const SIZE_LIMIT = 20_480_000
