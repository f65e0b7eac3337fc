import { randomUUID } from 'node:crypto'
import type { PostmarkServer } from '../server/postmark-server.js'
import type { RecordType, SandboxEvent } from '../server/sandbox-event.js'
import type { Clock } from './clock.js'
import { type HttpReply, sendPost } from './http-post.js'
import { createTurns } from './turns.js'
import { isWanted, type SandboxWebhook, toWebhook, type WebhookOptions } from './webhook.js'
import { createAttemptLog, type WebhookAttempt } from './webhook-attempt.js'
import { payloadFor, requestHeaders } from './webhook-request.js'
import { judgeReply, RETRY_DELAYS_MS } from './webhook-retry.js'

/** The webhooks of a sandbox, and what was posted to them. */
export interface SandboxWebhooks {
  readonly list: readonly SandboxWebhook[]
  /** Every attempt so far, oldest first. Only the last 1000 are kept. */
  readonly attempts: readonly WebhookAttempt[]
  attemptsOf(event: SandboxEvent): readonly WebhookAttempt[]
  /** Whether a webhook would have got it if the setting `enableSmtpApiErrorHooks` were on. */
  isWithheld(event: SandboxEvent): boolean
  /** Removes a webhook and cancels its pending posts. Returns whether there was one with this ID. */
  remove(id: number): boolean
  /** Calls the listener after each attempt from now on. Returns a function that stops this. */
  onAttempt(listener: (attempt: WebhookAttempt) => void): () => void
}

/** A webhook that was added or removed, as the JSON of a journal. Webhooks of the options are not recorded. */
export type WebhookFact =
  | ({ readonly kind: 'webhook'; readonly id: number; readonly verified: boolean } & WebhookOptions)
  | { readonly kind: 'webhook-removed'; readonly id: number }

/** Where webhooks are recorded. */
export interface WebhookJournal {
  /** @throws Error of the system; then nothing is written */
  write(fact: WebhookFact): void
}

/** Posts what happens to the webhooks. */
export interface WebhookSender extends SandboxWebhooks {
  /** @throws PostmarkError ERR_POSTMARK_OPTIONS */
  add(options: WebhookOptions): SandboxWebhook
  /** Adds one of the options, which each start gives again, under the lowest free ID. @throws as {@link WebhookSender.add} */
  declare(options: WebhookOptions): void
  /** The webhooks that were added since the start. */
  facts(): Iterable<WebhookFact>
  /** Restores a webhook that was kept. @throws as {@link WebhookSender.add} if its message stream is gone */
  restore(fact: WebhookFact): void
  /** Makes a webhook without adding it: to replace another, or to be verified first. */
  prepare(options: WebhookOptions, id?: number, verified?: boolean): SandboxWebhook
  /** Adds a prepared one, or replaces the one with its ID. */
  put(webhook: SandboxWebhook): void
  /** Posts a payload immediately, outside the log, and resolves with what came back. */
  probe(webhook: SandboxWebhook, payload: Readonly<Record<string, unknown>>): Promise<HttpReply>
  /** Aborts the posts under way and makes no more. */
  close(): void
}

/** How long Postmark waits for a reply is not known. */
const TIMEOUT_MS = 30_000
const MOST_POSTS_AT_ONCE = 10
/** While a receiver is down, more events than this are dropped: a sandbox may run for days, and its memory is limited. */
const MOST_PENDING = 10_000

/** An event on its way to a webhook. */
interface Delivery {
  readonly webhookId: number
  readonly eventId: number
  readonly recordType: RecordType
  readonly payload: Readonly<Record<string, unknown>>
  readonly traceId: string
  attempt: number
  /** Cancels the next attempt. */
  cancel(): void
}

/** Starts to post the events of a server. */
export function createWebhookSender(
  server: PostmarkServer,
  clock: Clock,
  { timeoutMs = TIMEOUT_MS, journal }: { timeoutMs?: number; journal?: WebhookJournal } = {},
): WebhookSender {
  const webhooks = new Map<number, SandboxWebhook>()
  const declared = new Set<number>()
  const log = createAttemptLog()
  const pending = new Set<Delivery>()
  const withheld = new WeakSet<SandboxEvent>()
  const closing = new AbortController()
  const takeTurn = createTurns(MOST_POSTS_AT_ONCE)
  let lastId = 0
  const nextId = () => {
    lastId += 1
    return lastId
  }

  const listeners = [
    server.on('event', (event) => {
      const wanted = [...webhooks.values()].filter((webhook) => isWanted(webhook, event))
      if (!isSwitchedOff(event, server)) for (const webhook of wanted) start(webhook, event)
      else if (wanted.length > 0) withheld.add(event)
    }),
    server.on('removed', () => {
      // The outbox was cleared between two tests. A late retry of the first must not reach the second.
      if (server.mails.length > 0) return
      log.clear()
      for (const delivery of pending) delivery.cancel()
      pending.clear()
    }),
  ]

  function start(webhook: SandboxWebhook, event: SandboxEvent) {
    const { id: eventId, recordType } = event
    const payload = payloadFor(webhook, event)
    const [webhookId, traceId] = [webhook.id, randomUUID()]
    const delivery: Delivery = { webhookId, eventId, recordType, payload, traceId, attempt: 1, cancel() {} }
    if (pending.size < MOST_PENDING) {
      pending.add(delivery)
      schedule(delivery, 0)
    } else {
      const sent = { at: clock.now(), durationMs: 0, error: 'too many posts are pending' }
      record(webhook, delivery, sent, 'dropped', 0)
    }
  }

  function schedule(delivery: Delivery, ms: number) {
    delivery.cancel = clock.schedule(ms, () => attempt(delivery))
  }

  async function attempt(delivery: Delivery): Promise<void> {
    const leave = await takeTurn()
    try {
      const webhook = webhooks.get(delivery.webhookId)
      if (webhook === undefined) pending.delete(delivery)
      else if (pending.has(delivery)) await attemptNow(webhook, delivery)
    } finally {
      leave()
    }
  }

  async function attemptNow(webhook: SandboxWebhook, delivery: Delivery): Promise<void> {
    const at = clock.now()
    const startedAt = performance.now()
    const reply = await post(webhook, delivery)
    const durationMs = Math.round(performance.now() - startedAt)
    // Cleared, or closed, in the meantime.
    if (!pending.has(delivery)) return
    const { attempt } = delivery
    const { outcome, delayMs } = judgeReply(reply, attempt)
    if (outcome === 'retry') schedule(Object.assign(delivery, { attempt: attempt + 1 }), delayMs)
    else pending.delete(delivery)
    record(webhook, { ...delivery, attempt }, { at, durationMs, ...reply }, outcome, delayMs)
  }

  function record(
    { id: webhookId, url }: SandboxWebhook,
    { eventId, recordType, traceId, attempt }: Delivery,
    sent: HttpReply & Pick<WebhookAttempt, 'at' | 'durationMs'>,
    outcome: WebhookAttempt['outcome'],
    delayMs: number,
  ) {
    log.add({
      ...{ eventId, recordType, webhookId, url, traceId, attempt, ...sent, outcome },
      ...(outcome === 'retry' && { nextAt: new Date(clock.now().getTime() + delayMs) }),
    })
  }

  function post(
    webhook: SandboxWebhook,
    { payload, traceId, attempt }: Pick<Delivery, 'payload' | 'traceId' | 'attempt'>,
  ) {
    const body = JSON.stringify(payload)
    const headers = requestHeaders(webhook, body, traceId, RETRY_DELAYS_MS.length + 1 - attempt)
    return sendPost({ url: webhook.url, body, headers, timeoutMs, signal: closing.signal })
  }

  function writeDown(id: number, fact: WebhookFact): void {
    if (!declared.has(id)) journal?.write(fact)
  }

  const sender: WebhookSender = {
    get list() {
      return [...webhooks.values()]
    },
    attempts: log.attempts,
    attemptsOf: (event) => log.attempts.filter(({ eventId }) => eventId === event.id),
    isWithheld: (event) => withheld.has(event),
    add(options) {
      const webhook = sender.prepare(options)
      sender.put(webhook)
      return webhook
    },
    prepare: (options, id = nextId(), verified = true) => toWebhook(id, options, server.streams, verified),
    put(webhook) {
      writeDown(webhook.id, toFact(webhook))
      webhooks.set(webhook.id, webhook)
    },
    declare(options) {
      let id = 1
      while (webhooks.has(id)) id += 1
      declared.add(id)
      lastId = Math.max(lastId, id)
      webhooks.set(id, sender.prepare(options, id))
    },
    *facts() {
      for (const webhook of webhooks.values()) if (!declared.has(webhook.id)) yield toFact(webhook)
    },
    restore(fact) {
      lastId = Math.max(lastId, fact.id)
      if (fact.kind === 'webhook-removed') webhooks.delete(fact.id)
      else {
        const { kind: _kind, id, verified, ...options } = fact
        webhooks.set(id, sender.prepare(options, id, verified))
      }
    },
    remove(id) {
      if (!webhooks.has(id)) return false
      writeDown(id, { kind: 'webhook-removed', id })
      return webhooks.delete(id)
    },
    probe: (webhook, payload) => post(webhook, { payload, traceId: randomUUID(), attempt: 1 }),
    onAttempt: log.onAttempt,
    close() {
      for (const stop of listeners) stop()
      closing.abort()
      pending.clear()
    },
  }
  return sender
}

/** Includes the secrets that a printed webhook does not show. Without them, no receiver would accept a post after a restart. */
function toFact({ id, url, stream, triggers, verified, basicAuth, headers }: SandboxWebhook): WebhookFact {
  return { kind: 'webhook', id, verified, url, stream, triggers, headers, ...(basicAuth && { basicAuth }) }
}

function isSwitchedOff({ bounce }: SandboxEvent, server: PostmarkServer): boolean {
  return bounce?.type === 'SMTPApiError' && !server.settings.enableSmtpApiErrorHooks
}
