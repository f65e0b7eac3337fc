import { optionError, refuseUnknown } from '@postmark-smtp/core/internal'
import type { BounceId } from './bounce-id.js'
import { findRefusals, readsBounces } from './find-refusals.js'
import type { MailClient } from './mail-client.js'
import { isObject, type Raw, readText, readTime } from './read-value.js'
import { isName, type RetryOptions, readDate, readNumber, toRepeatSettings } from './reconcile-settings.js'
import { includesMetadata, searchMessages } from './search-messages.js'
import type { RejectedEvent } from './webhook-event.js'

/** What {@link findMail} takes; an unknown option fails at once. */
export interface FindMailQuery extends RetryOptions {
  /**
   * The metadata of the mail, at least one field; it must have all of them. Postmark searches by the first, so put first
   * what no other mail has. @example { 'correlation-id': id }
   */
  readonly metadata: Readonly<Record<string, string>>
  /** The ID of its stream. Default `outbound`. */
  readonly stream?: string | undefined
  /** A time before it was sent. Clocks may differ by five minutes. */
  readonly sentAfter: Date
  /**
   * How long after its 250 Postmark may take to list a mail, in milliseconds. Default 300,000: it is not documented, and
   * who takes a mail for lost too soon sends it twice. 0 against a sandbox without a search delay.
   */
  readonly searchDelayMs?: number | undefined
}

/** Postmark took the mail, and goes on with it. */
export interface MailSent {
  readonly state: 'sent'
  /** Postmark's ID of it. */
  readonly messageId: string | undefined
  /** @example 'Sent', 'Queued' */
  readonly status: string | undefined
  readonly recipients: readonly string[]
  readonly receivedAt: Date | undefined
  /** How many mails have this metadata: more than one where it was sent twice. */
  readonly copies: number
}

/** Postmark answered 250, and refused the mail afterwards: nobody gets it. */
export interface MailRefused {
  readonly state: 'refused'
  /** @example 406 */
  readonly errorCode: number | undefined
  readonly cause: string | undefined
  readonly cure: string | undefined
  readonly bounceId: BounceId | undefined
  /** The address that the bounce is about. */
  readonly recipient: string | undefined
  readonly at: Date | undefined
}

/** Postmark lists no such mail. */
export interface MailNotFound {
  readonly state: 'not-found'
  /**
   * A mail that Postmark took between these two would have been found: the search delay is over for it, and Postmark
   * has not deleted it yet. Undefined where Postmark did not list everything. By this machine's clock.
   */
  readonly trusted: { readonly from: Date; readonly until: Date } | undefined
  /** What else might be the case, a sentence each; empty where nothing is. */
  readonly doubts: readonly string[]
}

/** What {@link findMail} found. */
export type FoundMail = MailSent | MailRefused | MailNotFound

const OPTIONS = ['metadata', 'stream', 'sentAfter', 'searchDelayMs', 'retry', 'signal']
/** How far the clocks of this machine and of Postmark may differ. */
const CLOCKS_MS = 300_000
/** Postmark keeps mails for 45 days, or for as long as the server is set to: 7 days are the least. */
export const KEPT_MS: number = 7 * 86_400_000

/**
 * Asks Postmark what became of a mail, by its metadata: for one whose outcome is unknown, since the connection was lost
 * before the reply. It searches sent mails, then what Postmark refused after its 250.
 * @param client the `ServerClient` of the official `postmark` package, or any object with `getOutboundMessages`; without
 * `getBounces` and `getBounceDump` no refused mail is found
 * @example
 * const found = await findMail(client, { metadata: { 'correlation-id': id }, stream: 'outbound', sentAfter })
 * if (found.state === 'sent') console.log(found.messageId, found.status)
 * @throws PostmarkError ERR_POSTMARK_OPTIONS
 * @throws PostmarkError ERR_POSTMARK_BOUNCES where Postmark cannot be asked, and the reason of the signal
 * @see https://postmarkapp.com/developer/api/messages-api#outbound-message-search
 */
export async function findMail(client: MailClient, query: FindMailQuery): Promise<FoundMail> {
  checkMailClient(client)
  refuseUnknown(query, OPTIONS)
  const { metadata, stream = 'outbound', retry, signal } = query
  const sentAfter = readDate('sentAfter', query.sentAfter)
  if (!isMetadata(metadata))
    throw optionError('metadata', metadata, 'an object of texts such as { "correlation-id": id }')
  if (!isName(stream)) throw optionError('stream', stream, 'the ID of a stream such as "outbound"')
  if (!sentAfter) throw optionError('sentAfter', sentAfter, 'a Date')
  const searchDelayMs = readNumber('searchDelayMs', query.searchDelayMs, 300_000, 0)
  const settings = toRepeatSettings({ retry, signal })

  const now = Date.now()
  const from = sentAfter.getTime() - CLOCKS_MS
  const { messages, complete } = await searchMessages(client, { metadata, stream, from }, settings)
  if (messages.length > 0) return toSent(messages)
  const doubts: string[] = []
  if (readsBounces(client)) {
    let hidden = 0
    for await (const event of findRefusals(client, [stream], from, { retry, signal })) {
      if (includesMetadata(event.metadata, metadata)) return toRefused(event)
      if (Object.keys(event.metadata).length === 0) hidden += 1
    }
    if (hidden > 0)
      doubts.push(
        `${hidden} refused mails since then show no metadata: the mail may be one of them, and then nobody gets it.`,
      )
  } else doubts.push('The client has no getBounces and getBounceDump: the mail may be a refused one.')
  const trusted = {
    from: new Date(Math.max(sentAfter.getTime(), now - KEPT_MS)),
    until: new Date(now - searchDelayMs),
  }
  return { state: 'not-found', trusted: complete ? trusted : undefined, doubts }
}

/** @throws PostmarkError ERR_POSTMARK_OPTIONS */
export function checkMailClient(client: MailClient): void {
  if (typeof client?.getOutboundMessages !== 'function')
    throw optionError(
      'client',
      client,
      'an object with getOutboundMessages, such as a ServerClient of the package postmark',
    )
}

function isMetadata(value: unknown): value is Readonly<Record<string, string>> {
  if (!isObject(value)) return false
  const entries = Object.entries(value)
  return entries.length > 0 && entries.every(([key, text]) => isName(key) && isName(text))
}

/** The event of what was sent: of several copies, the newest. */
export function toSent(messages: readonly Raw[]): MailSent {
  const [newest = {}] = messages
  const { Recipients } = newest
  return {
    state: 'sent',
    messageId: readText(newest.MessageID),
    status: readText(newest.Status),
    recipients: Array.isArray(Recipients) ? Recipients.filter((item) => typeof item === 'string') : [],
    receivedAt: readTime(newest.ReceivedAt),
    // A mail that comes meanwhile shifts others to the next page, where they are seen once more.
    copies: new Set(messages.map(({ MessageID }) => MessageID)).size,
  }
}

/** What was refused, as a result. */
export function toRefused(event: RejectedEvent): MailRefused {
  const { errorCode, cause, cure, bounceId, recipient, at } = event
  return { state: 'refused', errorCode, cause, cure, bounceId, recipient, at }
}
