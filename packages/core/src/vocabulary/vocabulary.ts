/**
 * Postmark's vocabulary over SMTP: one row per field. Types, parsing, mapping, preflight, the README table and the
 * tests are derived from it. No other file names a Postmark header.
 */

/** The prefix of every Postmark header. */
export const HEADER_PREFIX = 'X-PM-'

/** All fields of {@link PostmarkFields}, with their headers, limits and sources. */
export const POSTMARK_FIELDS = {
  /**
   * The ID of the message stream, at most 30 characters: a letter, then `a-z 0-9 - _`. Without it, Postmark uses
   * `outbound`.
   * @example 'broadcast'
   */
  messageStream: {
    header: 'X-PM-Message-Stream',
    kind: 'stream',
    maxLength: 30,
    summary: 'ID of the message stream. Without it, Postmark uses `outbound`.',
    example: 'broadcast',
    source: 'https://postmarkapp.com/developer/api/message-streams-api',
  },
  /**
   * One label per email, at most 1000 characters. Recipients can see it, so do not put personal data in it.
   * @example 'welcome'
   */
  tag: {
    header: 'X-PM-Tag',
    kind: 'text',
    maxLength: 1000,
    summary: 'One label per email. Recipients can see it, so do not put personal data in it.',
    example: 'welcome',
    source: 'https://postmarkapp.com/developer/user-guide/send-email-with-smtp',
  },
  /**
   * At most 10 keys of at most 20 characters, with values of at most 80. Postmark repeats them in webhooks and removes
   * them before delivery. Numbers and booleans are sent as strings; `null` clears a key.
   * @example { 'order-id': '1234' }
   */
  metadata: {
    header: 'X-PM-Metadata-',
    kind: 'map',
    maxEntries: 10,
    maxKeyLength: 20,
    maxLength: 80,
    summary: 'Keys and values that Postmark repeats in webhooks and removes before delivery.',
    example: { 'order-id': '1234' },
    source: 'https://postmarkapp.com/developer/user-guide/send-email-with-smtp',
  },
  /**
   * `true` turns on open tracking for HTML mail. `false` cannot turn off tracking that the server has on.
   * @example true
   */
  trackOpens: {
    header: 'X-PM-TrackOpens',
    kind: 'boolean',
    summary: 'Turns open tracking on. It cannot turn off tracking that the server has on.',
    example: true,
    source: 'https://postmarkapp.com/developer/user-guide/tracking-opens',
  },
  /**
   * Which parts have their links tracked. Overrides the server's setting in both directions.
   * @example 'HtmlOnly'
   */
  trackLinks: {
    header: 'X-PM-TrackLinks',
    kind: 'choice',
    values: ['None', 'HtmlAndText', 'HtmlOnly', 'TextOnly'],
    summary: 'Which parts have their links tracked. Overrides the server setting.',
    example: 'HtmlOnly',
    source: 'https://postmarkapp.com/developer/user-guide/tracking-links',
  },
  /**
   * `true` keeps the Message-ID of the sender. Otherwise Postmark replaces it.
   * @example true
   */
  keepId: {
    header: 'X-PM-KeepID',
    kind: 'flag',
    summary: 'Keeps the Message-ID of the sender. Otherwise Postmark replaces it.',
    example: true,
    source: 'https://postmarkapp.com/developer/user-guide/send-email-with-smtp',
  },
  /**
   * The bounce to simulate. Only for mail to `@bounce-testing.postmarkapp.com`.
   * @example 'HardBounce'
   */
  bounceType: {
    header: 'X-PM-Bounce-Type',
    kind: 'name',
    maxLength: 50,
    summary: 'The bounce to simulate. Only for mail to `@bounce-testing.postmarkapp.com`.',
    example: 'HardBounce',
    source: 'https://postmarkapp.com/developer/api/bounce-api',
  },
} as const

/** Headers that only Postmark sets. A sender must not set them. */
export const RESERVED_HEADERS: readonly string[] = [
  'X-PM-Message-Id',
  'X-PM-RCPT',
  'X-PM-Message-Options',
  'X-PM-MTA-Pool',
  'X-PM-IP',
]

/** Misspelt headers that Postmark ignores, in lower case, with the intended header. */
export const MISSPELLED_HEADERS: ReadonlyMap<string, string> = new Map([
  ['x-pm-track-opens', POSTMARK_FIELDS.trackOpens.header],
  ['x-pm-track-links', POSTMARK_FIELDS.trackLinks.header],
  ['x-pm-keep-id', POSTMARK_FIELDS.keepId.header],
  ['x-pm-tags', POSTMARK_FIELDS.tag.header],
  ['x-pm-metadata', `${POSTMARK_FIELDS.metadata.header}<key>`],
  ['x-pm-stream', POSTMARK_FIELDS.messageStream.header],
  ['x-pm-messagestream', POSTMARK_FIELDS.messageStream.header],
  ['x-pm-bouncetype', POSTMARK_FIELDS.bounceType.header],
])

/** Headers of Postmark's webhook requests. */
export const WEBHOOK_HEADERS = {
  traceId: 'X-PM-Webhook-Trace-Id',
  retriesRemaining: 'X-PM-Retries-Remaining',
} as const

type Row = (typeof POSTMARK_FIELDS)[keyof typeof POSTMARK_FIELDS]

/** The value that a caller may pass for a row: strings are trimmed, numbers and booleans become strings. */
type Given<R extends Row> = R extends { kind: 'map' }
  ? Readonly<Record<string, string | number | boolean | null | undefined>>
  : R extends { kind: 'boolean' | 'flag' }
    ? boolean
    : R extends { kind: 'choice'; values: readonly (infer V)[] }
      ? V
      : string

/** The value that {@link parseFields} returns for a row. */
type Parsed<R extends Row> = R extends { kind: 'map' } ? Readonly<Record<string, string | null>> : Given<R>

/**
 * The Postmark fields of an email, a scope or a transport; `null` clears what an outer level set.
 * @example { tag: 'welcome', metadata: { 'order-id': '1234' }, messageStream: 'outbound' }
 */
export type PostmarkFields = {
  readonly [F in keyof typeof POSTMARK_FIELDS]?: Given<(typeof POSTMARK_FIELDS)[F]> | null | undefined
}

/** Fields after {@link parseFields}: metadata values are strings, and no key is undefined. */
export type ParsedPostmarkFields = {
  readonly [F in keyof typeof POSTMARK_FIELDS]?: Parsed<(typeof POSTMARK_FIELDS)[F]> | null
}

/** The name of a field. */
export type PostmarkField = keyof typeof POSTMARK_FIELDS
