import type { BounceTypeName } from '@postmark-smtp/core'
import { optionError } from '@postmark-smtp/core/internal'
import type { Arrival } from '../mail/arrival.js'
import { listLinks } from '../mail/mail-links.js'
import { type MailEnvelope, readMail, type SandboxMail, toSandboxMail } from '../mail/sandbox-mail.js'
import { DEFAULT_STREAM, type SandboxStream, type StreamSetting, toStreams } from '../mail/stream.js'
import { type SandboxBounce, suppressionOf, toBounce } from './bounce.js'
import { EventLog } from './event-log.js'
import type { Journal, ServerFact } from './journal.js'
import { judge, type Rules } from './judge.js'
import {
  bounceFact,
  eventFact,
  mailFact,
  restoreFact,
  type ServerState,
  suppressionFact,
  toFacts,
} from './kept-state.js'
import type { MailActions } from './mail-actions.js'
import { type KeepLimits, MailStore, toKeepLimits } from './mail-store.js'
import { activeRecipients, findRecipient, misuse } from './recipients.js'
import type { SandboxEvent } from './sandbox-event.js'
import { type AccountState, type SenderSetting, toSenderRules, toSenders } from './sender-rules.js'
import { type RefusedLogin, type ServerEvents, ServerListeners } from './server-events.js'
import { type ServerSettings, toSettings } from './server-settings.js'
import { type SandboxSuppression, Suppressions } from './suppressions.js'
import { testBounceType } from './test-bounce-type.js'

/** What {@link createPostmarkServer} takes. */
export interface PostmarkServerOptions {
  /** Message streams in addition to `outbound`, `broadcast` and `inbound`, which every server has. */
  readonly streams?: readonly (string | StreamSetting)[]
  /** The domains and addresses that From may have (default: any). */
  readonly senders?: readonly (string | SenderSetting)[]
  /** Default `approved`. */
  readonly account?: AccountState
  readonly settings?: Partial<ServerSettings>
  readonly keep?: KeepLimits
  /**
   * How long it takes until a search finds a new email or bounce, in milliseconds (default 0). At Postmark it takes a
   * while, but how long is not documented. A call that names an email or a bounce by its ID finds it immediately.
   */
  readonly searchDelayMs?: number
  /** The current time (default: the real one). */
  readonly now?: () => Date
  /** Where changes are recorded (default: nowhere). */
  readonly journal?: Journal
}

/** Postmark's side, without the SMTP session: the state of one server, and its rules. */
export interface PostmarkServer extends MailActions {
  readonly settings: ServerSettings
  change(settings: Partial<ServerSettings>): void
  /** The current time, which a test can advance. */
  now(): Date

  readonly streams: readonly SandboxStream[]
  readonly mails: readonly SandboxMail[]
  readonly bounces: readonly SandboxBounce[]
  readonly suppressions: readonly SandboxSuppression[]
  /** Who may send; undefined if anyone may. */
  readonly senders: readonly SenderSetting[] | undefined

  /** Replaces the list of who may send; undefined lets anyone send. @throws PostmarkError ERR_POSTMARK_OPTIONS */
  replaceSenders(senders: readonly (string | SenderSetting)[] | undefined): void
  /** Adds a sender to the list, or confirms it. Does nothing if anyone may send. */
  verifySender(address: string): void
  /** Adds a stream, or replaces the one with its ID. */
  saveStream(stream: SandboxStream): void
  /** Whether a search finds what happened at this time. */
  isSearchable(at: Date): boolean
  /** The email with this MessageID. */
  findMail(messageId: string): SandboxMail | undefined
  findBounce(id: number): SandboxBounce | undefined
  /** What happened to an email, oldest first. */
  eventsOf(mail: SandboxMail): readonly SandboxEvent[]

  /**
   * Counts bytes of an email that is being received, and removes older emails to make room. Returns false if too much is
   * being received already.
   * @param held the bytes that were counted for this email before
   */
  reserve(bytes: number, held: number): boolean
  /** Releases the bytes that were reserved for one email. */
  release(bytes: number): void
  /**
   * Accepts an email, judges it, and does what Postmark would do next.
   * @throws Error of the system if the journal cannot be written; then the email is not accepted
   */
  receive(raw: Buffer, envelope: MailEnvelope, arrival: Arrival): SandboxMail
  /** Reactivates the address of a bounce. */
  activate(bounce: SandboxBounce): SandboxBounce

  /** Removes some emails with their bounces and events; suppressions stay. Returns how many were there. */
  remove(mails: readonly SandboxMail[]): number
  /** Removes all emails, bounces, events and suppressions. Streams and settings stay. */
  clear(): void
  /** The state as the facts of a journal. */
  facts(): Iterable<{ readonly fact: ServerFact; readonly body?: Buffer }>
  /** Restores a fact that was kept; no listener is called. */
  restore(fact: ServerFact, body?: Buffer): void
  /** Called after the last fact: settles an email that was kept just before the process ended. */
  restored(): void
  /** Reports a login that was refused to the listeners. */
  reportRefusedLogin(login: RefusedLogin): void
  /** Reports data that could not be kept to the listeners. */
  reportDataProblem(message: string): void
  /** Calls the listener from now on. Returns a function that stops this. */
  on<K extends keyof ServerEvents>(event: K, listener: (...args: ServerEvents[K]) => void): () => void
}

/**
 * Makes a Postmark server without emails.
 * @throws PostmarkError ERR_POSTMARK_OPTIONS
 */
export function createPostmarkServer(options: PostmarkServerOptions = {}): PostmarkServer {
  const { now = () => new Date(), journal } = options
  const searchDelayMs = toSearchDelay(options.searchDelayMs)
  const streams = new Map(toStreams(options.streams).map((stream) => [stream.id, stream]))
  const suppressions = new Suppressions()
  const store = new MailStore(toKeepLimits(options.keep))
  const { account, senders } = toSenderRules(options.account, options.senders)
  let mayUse = senders
  const rules: Rules = {
    account,
    get senders() {
      return mayUse
    },
    findStream: (id) => streams.get(id),
    isSuppressed: (stream, address) => suppressions.has(stream, address),
  }
  const listeners = new ServerListeners()
  let settings = toSettings(options.settings)

  const log: EventLog = new EventLog(
    now,
    (event) => {
      store.addEvent(event)
      journal?.add(eventFact(event, log))
      listeners.call('event', event)
    },
    journal !== undefined,
  )
  const state: ServerState = { store, log, suppressions, streams }
  const declared = new Set(streams.values())

  /** Returns the result of an action after its consequences are written, or kept for the next write if that fails now. */
  function written<T>(result: T): T {
    try {
      journal?.flush()
    } catch (error) {
      // Thrown, the action would be repeated, and its event would exist twice.
      const why = (error as Error).message
      listeners.call(
        'dataProblem',
        `Events are only in memory until the data directory can be written: ${why}.`,
      )
    }
    return result
  }

  function makeRoom(): void {
    const mails = store.makeRoom()
    if (mails.length === 0) return
    journal?.add({ kind: 'removed', mails })
    listeners.call('removed')
  }

  /** Returns whether it is new. */
  function addSuppression(suppression: SandboxSuppression): boolean {
    const isNew = suppressions.add(suppression)
    if (isNew) journal?.add(suppressionFact(suppression))
    return isNew
  }

  /** Does what Postmark does with an email that it has accepted. */
  function settle(mail: SandboxMail): void {
    if (mail.verdict.outcome === 'refused') makeBounce(mail, 'SMTPApiError', mail.envelope.to[0] ?? '')
    else for (const recipient of activeRecipients(mail, suppressions)) deliver(mail, recipient)
  }

  function deliver(mail: SandboxMail, recipient: string): void {
    const type = testBounceType(recipient, mail.postmark.bounceType)
    if (type) makeBounce(mail, type, recipient)
    else log.delivered(mail, recipient)
  }

  function makeBounce(mail: SandboxMail, type: BounceTypeName, recipient: string): SandboxEvent {
    // A bounce must be found somewhere. The stream is the one of an email that names none.
    const stream = streams.has(mail.stream) ? mail.stream : DEFAULT_STREAM
    const at = now()
    const isSuppressed = () => suppressions.has(stream, recipient)
    const id = store.lastBounceId + 1
    const bounce = toBounce({ id, type, mail, stream, recipient, at, isSuppressed })
    store.addBounce(bounce)
    journal?.add(bounceFact(bounce))
    const reason = suppressionOf(type)
    const suppression = reason && ({ stream, address: recipient, reason, origin: 'Recipient', at } as const)
    const isNew = suppression && addSuppression(suppression)
    const event = log.bounced(bounce)
    if (isNew) log.suppressionChanged(suppression, true, mail)
    return event
  }

  function unsuppress(
    ...[address, { stream } = {}]: Parameters<PostmarkServer['unsuppress']>
  ): SandboxEvent | undefined {
    const id = streamOf(stream)
    if (suppressions.has(id, address)) journal?.write({ kind: 'lifted', stream: id, address })
    const lifted = suppressions.remove(id, address)
    return lifted && log.suppressionChanged({ ...lifted, origin: 'Customer', at: now() }, false, undefined)
  }

  function recipientOf(mail: SandboxMail, recipient?: string): string {
    if (store.findMail(mail.messageId) !== mail) throw misuse('The sandbox no longer has this email.')
    return findRecipient(mail, recipient)
  }

  function streamOf(id: string = DEFAULT_STREAM): string {
    if (!streams.has(id))
      throw misuse(`There is no message stream "${id}". The sandbox has ${[...streams.keys()].join(', ')}.`)
    return id
  }

  return {
    get settings() {
      return settings
    },
    change(changes) {
      settings = toSettings(changes, settings)
    },
    now,
    get streams() {
      return [...streams.values()]
    },
    mails: store.mails,
    bounces: store.bounces,
    get suppressions() {
      return suppressions.list
    },
    get senders() {
      return mayUse && [...mayUse].map(([address, confirmed]) => ({ address, confirmed }))
    },
    replaceSenders(list) {
      mayUse = toSenders(list)
    },
    verifySender(address) {
      for (const [key] of toSenders([address])!) mayUse?.set(key, true)
    },
    saveStream(stream) {
      journal?.write({ kind: 'stream', ...stream })
      streams.set(stream.id, stream)
    },
    isSearchable: (at) => now().getTime() - at.getTime() >= searchDelayMs,
    findMail: (messageId) => store.findMail(messageId),
    findBounce: (id) => store.findBounce(id),
    eventsOf: (mail) => store.eventsOf(mail),

    reserve(bytes, held) {
      if (!store.reserve(bytes, held)) return false
      makeRoom()
      return true
    },
    release: (bytes) => store.release(bytes),
    receive(raw, envelope, arrival) {
      const read = readMail(raw, envelope)
      const mail = toSandboxMail(read, judge(read, arrival, rules), arrival, now())
      journal?.write(mailFact(mail), raw)
      store.addMail(mail)
      listeners.call('mail', mail)
      makeRoom()
      // A listener may have removed it.
      if (store.findMail(mail.messageId) === mail) settle(mail)
      // The email itself is written, so it is accepted.
      return written(mail)
    },
    bounce: (mail, type, recipient) => written(makeBounce(mail, type, recipientOf(mail, recipient))).bounce!,
    open(mail, recipient) {
      const address = recipientOf(mail, recipient)
      const first = !store
        .eventsOf(mail)
        .some((event) => event.recordType === 'Open' && event.recipient === address)
      return written(log.opened(mail, address, first))
    },
    async click(mail, url, recipient) {
      recipientOf(mail, recipient)
      const links = listLinks(await mail.parse())
      // The email may have been cleared in the meantime.
      const address = recipientOf(mail, recipient)
      const link = url === undefined ? links[0] : links.find((each) => each.url === url)
      if (!link && url === undefined) throw misuse('The email has no link.')
      return written(log.clicked(mail, address, link ?? { url: url!, location: 'HTML' }))
    },
    complain: (mail, recipient) => written(makeBounce(mail, 'SpamComplaint', recipientOf(mail, recipient))),
    unsubscribe(mail, recipient) {
      const address = recipientOf(mail, recipient)
      const suppression = {
        stream: mail.stream,
        address,
        reason: 'ManualSuppression',
        origin: 'Recipient',
        at: now(),
      } as const
      addSuppression(suppression)
      return written(log.suppressionChanged(suppression, true, mail))
    },
    activate(bounce) {
      if (!bounce.canActivate) throw misuse(`A bounce of the type ${bounce.type} cannot be reactivated.`)
      written(unsuppress(bounce.recipient, { stream: bounce.stream }))
      return bounce
    },
    suppress(address, { stream, reason = 'ManualSuppression' } = {}) {
      const suppression = {
        stream: streamOf(stream),
        address,
        reason,
        origin: 'Customer',
        at: now(),
      } as const
      if (suppressions.has(suppression.stream, address)) return undefined
      journal?.write(suppressionFact(suppression))
      suppressions.add(suppression)
      return written(log.suppressionChanged(suppression, true, undefined))
    },
    remove(mails) {
      const here = mails.filter((mail) => store.findMail(mail.messageId) === mail)
      if (here.length === 0) return 0
      const messageIds = here.map(({ messageId }) => messageId)
      journal?.write({ kind: 'removed', mails: messageIds })
      const removed = store.remove(messageIds)
      listeners.call('removed')
      return removed.length
    },
    unsuppress: (address, at) => written(unsuppress(address, at)),
    clear() {
      journal?.write({ kind: 'cleared' })
      store.clear()
      suppressions.clear()
      listeners.call('removed')
      journal?.compact()
    },
    facts: () => toFacts(state, declared),
    restore: (fact, body) => restoreFact(state, fact, body),
    restored() {
      makeRoom()
      for (const mail of store.mails) if (store.eventsOf(mail).length === 0) settle(mail)
      journal?.flush()
    },
    reportRefusedLogin: (login) => listeners.call('refusedLogin', login),
    reportDataProblem: (message) => listeners.call('dataProblem', message),
    on: (event, listener) => listeners.add(event, listener),
  }
}

function toSearchDelay(ms: unknown = 0): number {
  if (typeof ms === 'number' && ms >= 0 && Number.isFinite(ms)) return ms
  throw optionError('searchDelayMs', ms, 'a number of milliseconds, 0 or more')
}
