import { optionError, refuseUnknown } from '@postmark-smtp/core/internal'
import type { BounceId } from './bounce-id.js'
import { findRefusals, readsBounces } from './find-refusals.js'
import type { MailClient } from './mail-client.js'
import { isObject, type Raw, readText, readTime } from './read-value.js'
import { isName, type RetryOptions, readDate, readNumber, toRepeatSettings } from './reconcile-settings.js'
import { includesMetadata, searchMessages } from './search-messages.js'
import type { RejectedEvent } from './webhook-event.js'

/** Options of {@link findMail}. An unknown option throws. */
export interface FindMailQuery extends RetryOptions {
  /**
   * The metadata of the email: one or more fields, all of which the email must have. Postmark searches by the first one, so
   * begin with a field that is unique to the mail. @example { 'correlation-id': id }
   */
  readonly metadata: Readonly<Record<string, string>>
  /** The ID of the email's stream. Default `outbound`. */
  readonly stream?: string | undefined
  /** A time before the email was sent. Clocks may differ by five minutes. */
  readonly sentAfter: Date
  /**
   * How long Postmark may take to list an email after its 250, in milliseconds. Default 300,000: the real delay is not
   * documented, and with too small a value an email may be sent twice. Use 0 with a sandbox that has no search delay.
   */
  readonly searchDelayMs?: number | undefined
}

/** Postmark accepted the email and is processing it. */
export interface MailSent {
  readonly state: 'sent'
  /** Postmark's ID of the email. */
  readonly messageId: string | undefined
  /** @example 'Sent', 'Queued' */
  readonly status: string | undefined
  readonly recipients: readonly string[]
  readonly receivedAt: Date | undefined
  /** The number of emails with this metadata: more than one if the email was sent twice. */
  readonly copies: number
}

/** Postmark answered 250 and refused the email afterwards: nobody receives it. */
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

/** Postmark lists no such email. */
export interface MailNotFound {
  readonly state: 'not-found'
  /**
   * An email that Postmark accepted between these two times would have been found: its search delay is over, and Postmark
   * has not deleted it yet. By this machine's clock. Undefined if Postmark did not list everything.
   */
  readonly trusted: { readonly from: Date; readonly until: Date } | undefined
  /** Other possible explanations, one sentence each; empty if there are none. */
  readonly doubts: readonly string[]
}

/** The result of {@link findMail}. */
export type FoundMail = MailSent | MailRefused | MailNotFound

const OPTIONS = ['metadata', 'stream', 'sentAfter', 'searchDelayMs', 'retry', 'signal']
/** How far the clocks of this machine and of Postmark may differ. */
const CLOCKS_MS = 300_000
/** Postmark keeps emails for 45 days, or for the time that the server is set to, which is at least 7 days. */
export const KEPT_MS: number = 7 * 86_400_000

/**
 * Asks Postmark what became of an email, by its metadata. Use it for an email whose outcome is unknown because the connection
 * was lost before the reply. It searches the sent emails, then the emails that Postmark refused after its 250.
 * @param client the `ServerClient` of the official `postmark` package, or any object with `getOutboundMessages`. Without
 * `getBounces` and `getBounceDump`, no refused email is found
 * @example
 * const found = await findMail(client, { metadata: { 'correlation-id': id }, stream: 'outbound', sentAfter })
 * if (found.state === 'sent') console.log(found.messageId, found.status)
 * @throws PostmarkError ERR_POSTMARK_OPTIONS
 * @throws PostmarkError ERR_POSTMARK_BOUNCES if Postmark cannot be asked, or the reason of the signal
 * @see https://postmarkapp.com/developer/api/messages-api#outbound-message-search
 */
export async function findMail(client: MailClient, query: FindMailQuery): Promise<FoundMail> {
  checkMailClient(client)
  refuseUnknown(query, OPTIONS)
  const { metadata, stream = 'outbound', retry, signal } = query
  const sentAfter = readDate('sentAfter', query.sentAfter)
  if (!isMetadata(metadata))
    throw optionError('metadata', metadata, 'an object of strings such as { "correlation-id": id }')
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
        `${hidden} refused emails since then show no metadata: if the email is one of them, nobody receives it.`,
      )
  } else doubts.push('The client has no getBounces and getBounceDump, so the email may have been refused.')
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

/** The result for an email that was sent: of several copies, the newest. */
export function toSent(messages: readonly Raw[]): MailSent {
  const [newest = {}] = messages
  const { Recipients } = newest
  return {
    state: 'sent',
    messageId: readText(newest.MessageID),
    status: readText(newest.Status),
    recipients: Array.isArray(Recipients) ? Recipients.filter((item) => typeof item === 'string') : [],
    receivedAt: readTime(newest.ReceivedAt),
    // An email that arrives during the search shifts others to the next page, where they are seen once more.
    copies: new Set(messages.map(({ MessageID }) => MessageID)).size,
  }
}

/** The result for an email that was refused. */
export function toRefused(event: RejectedEvent): MailRefused {
  const { errorCode, cause, cure, bounceId, recipient, at } = event
  return { state: 'refused', errorCode, cause, cure, bounceId, recipient, at }
}
