import { optionError, refuseUnknown } from '@postmark-smtp/core/internal'
import {
  checkMailClient,
  type FoundMail,
  KEPT_MS,
  type MailNotFound,
  type MailRefused,
  type MailSent,
  toRefused,
  toSent,
} from './find-mail.js'
import { findRefusals, readsBounces } from './find-refusals.js'
import type { MailClient } from './mail-client.js'
import { findMetadata } from './read-value.js'
import { isName, type RetryOptions, readNumber, toRepeatSettings } from './reconcile-settings.js'
import type { RepeatSettings } from './repeat.js'
import { searchMessages } from './search-messages.js'
import type { ResolvedInfo, UnknownSend, UnknownStore } from './unknown-store.js'

/** Options of {@link resolveUnknown}. An unknown option throws. */
export interface ResolveUnknownOptions extends RetryOptions {
  /**
   * The IDs of all streams that the emails may have been sent on. An email on another stream is not found, and would be
   * sent again. @example ['outbound', 'broadcast']
   */
  readonly streams: readonly string[]
  /** The metadata key that holds the reference. Default `send-once`. */
  readonly metadataKey?: string | undefined
  /**
   * How long an email must have been unknown before "not found" releases its key, in milliseconds. It must cover the lease
   * of a claim, the time limit of the last reply and Postmark's search delay. Default 600,000. If it is too short, an email
   * that Postmark has accepted is sent again.
   */
  readonly waitMs?: number | undefined
  /**
   * How long before it became unknown an email may have been sent, in milliseconds. Default 86,400,000 (one day). It must
   * be shorter than the time for which the store remembers a key.
   */
  readonly lookBackMs?: number | undefined
}

/** What became of one unknown mail. */
export interface UnknownResolution {
  readonly id: string
  readonly reference: string
  /** The new state in the store; undefined if the email stays unknown and will be checked again. */
  readonly resolved: 'sent' | 'released' | undefined
  readonly found: FoundMail
}

/** How many searches run in parallel. */
const AT_ONCE = 5
/** Refused emails are searched over a shorter time, because each takes its own request. A missed one is refused again. */
const REFUSALS_BACK_MS = 3_600_000

/**
 * Asks Postmark about each email in a send-once store whose outcome is unknown, and resolves it in the store. Call it
 * every few minutes.
 *
 * An email that Postmark accepted becomes `sent`, even if it was refused afterwards, because sending it again would not
 * help. An email that Postmark does not list becomes `released` after it has been unknown for `waitMs`, and may then be sent
 * again. An email that has been unknown for a week stays unknown, because Postmark may have deleted it.
 * @param client as for `findMail`
 * @example await resolveUnknown(store, new ServerClient(token), { streams: ['outbound', 'broadcast'] })
 * @throws PostmarkError ERR_POSTMARK_OPTIONS
 * @throws PostmarkError ERR_POSTMARK_BOUNCES if Postmark cannot be asked; emails that are not yet resolved stay unknown
 * @throws what the store throws, or the reason of the signal
 */
export async function resolveUnknown(
  store: UnknownStore,
  client: MailClient,
  options: ResolveUnknownOptions,
): Promise<readonly UnknownResolution[]> {
  const settings = toSettings(store, client, options)
  const resolutions: UnknownResolution[] = []
  const resolve = async (unknown: UnknownSend, found: FoundMail, resolved: UnknownResolution['resolved']) => {
    const { id, reference } = unknown
    if (resolved !== undefined) await store.resolve(id, resolved, toInfo(found))
    resolutions.push({ id, reference, resolved, found })
  }

  // From here on the ages are correct or too low, so no search begins too early for its email.
  const unknowns: UnknownSend[] = []
  for await (const unknown of store.unknowns()) unknowns.push(unknown)
  const missing: Missing[] = []
  for (let at = 0; at < unknowns.length; at += AT_ONCE) {
    const search = async (unknown: UnknownSend) => ({
      unknown,
      found: await findSent(client, unknown, settings),
    })
    for (const { unknown, found } of await Promise.all(unknowns.slice(at, at + AT_ONCE).map(search)))
      if (found.state === 'sent') await resolve(unknown, found, 'sent')
      else missing.push({ unknown, found })
  }
  const refusals = await readRefusals(client, missing, settings)
  for (const { unknown, found } of missing) {
    const refused = refusals.get(unknown.reference)
    if (refused) await resolve(unknown, refused, 'sent')
    else await resolve(unknown, found, mayBeSentAgain(unknown, found, settings) ? 'released' : undefined)
  }
  return resolutions
}

interface Missing {
  readonly unknown: UnknownSend
  readonly found: MailNotFound
}

interface Settings {
  readonly streams: readonly string[]
  readonly key: string
  readonly waitMs: number
  readonly lookBackMs: number
  readonly retry: RetryOptions
  readonly repeat: RepeatSettings
}

async function findSent(
  client: MailClient,
  { reference, sinceMs }: UnknownSend,
  { streams, key, waitMs, lookBackMs, repeat }: Settings,
): Promise<MailSent | MailNotFound> {
  const now = Date.now()
  const from = now - sinceMs - lookBackMs
  const query = { metadata: { [key]: reference }, from }
  const results = await Promise.all(
    streams.map((stream) => searchMessages(client, { ...query, stream }, repeat)),
  )
  const messages = results.flatMap((result) => result.messages)
  if (messages.length > 0) return toSent(messages)
  const complete = results.every((result) => result.complete)
  const trusted = { from: new Date(Math.max(from, now - KEPT_MS)), until: new Date(now - waitMs) }
  return { state: 'not-found', trusted: complete ? trusted : undefined, doubts: [] }
}

function mayBeSentAgain({ sinceMs }: UnknownSend, { trusted }: MailNotFound, { waitMs }: Settings): boolean {
  return trusted !== undefined && sinceMs >= waitMs && sinceMs < KEPT_MS
}

/** The refused emails by their reference, read once for all missing emails. */
async function readRefusals(
  client: MailClient,
  missing: readonly Missing[],
  { streams, key, lookBackMs, retry }: Settings,
): Promise<ReadonlyMap<string, MailRefused>> {
  const refusals = new Map<string, MailRefused>()
  // An email that stays unknown for good must not make each call read all refused emails of a month.
  const ages = missing.map(({ unknown }) => unknown.sinceMs).filter((sinceMs) => sinceMs < KEPT_MS)
  if (ages.length === 0 || !readsBounces(client)) return refusals
  const oldestMs = ages.reduce((oldest, sinceMs) => Math.max(oldest, sinceMs))
  const from = Date.now() - oldestMs - Math.min(lookBackMs, REFUSALS_BACK_MS)
  for await (const event of findRefusals(client, streams, from, retry)) {
    const reference = findMetadata(event.metadata, key)
    if (reference !== undefined) refusals.set(reference, toRefused(event))
  }
  return refusals
}

function toInfo(found: FoundMail): ResolvedInfo | undefined {
  if (found.state === 'sent') return { messageId: found.messageId }
  return found.state === 'refused' ? { errorCode: found.errorCode } : undefined
}

function toSettings(store: UnknownStore, client: MailClient, options: ResolveUnknownOptions): Settings {
  if (typeof store?.unknowns !== 'function' || typeof store.resolve !== 'function')
    throw optionError('store', store, 'a send-once store with unknowns and resolve')
  checkMailClient(client)
  refuseUnknown(options, ['streams', 'metadataKey', 'waitMs', 'lookBackMs', 'retry', 'signal'])
  const { streams, metadataKey: key = 'send-once', retry, signal } = options ?? {}
  if (!Array.isArray(streams) || streams.length === 0 || !streams.every(isName))
    throw optionError('streams', streams, 'a list of stream IDs such as ["outbound"]')
  if (!isName(key)) throw optionError('metadataKey', key, 'a metadata key')
  return {
    streams: [...new Set(streams as readonly string[])],
    key,
    waitMs: readNumber('waitMs', options.waitMs, 600_000, 0),
    lookBackMs: readNumber('lookBackMs', options.lookBackMs, 86_400_000, 0),
    retry: { retry, signal },
    repeat: toRepeatSettings({ retry, signal }),
  }
}
