import type { SendingMail } from '../message/nodemailer-types.js'
import { hasStreamContent } from '../message/stream-content.js'
import type { DeliveryFailure } from '../problems/delivery-failure.js'
import type { DeliveryOutcome } from '../problems/delivery-outcome.js'
import type { Opening, SendEvent } from '../problems/diagnostics.js'
import type { PostmarkError } from '../problems/error.js'
import { explainInMessage } from '../problems/explain-smtp-error.js'
import type { SendPhase, SmtpError } from '../problems/smtp-failure.js'
import type { Envelope } from '../smtp/envelope.js'
import { readEnvelope } from '../smtp/envelope.js'
import type { Content, SentMail, Shipment, TransactionResult } from '../smtp/shipment.js'
import { type BatchPart, BatchTie } from './batch-tie.js'
import type { Claim } from './claim.js'
import { composeMail, prepareMessage } from './compose.js'
import { followSignal } from './follow-signal.js'
import { GATE, type Place, QUEUE } from './place.js'
import type { SendOnceInfo, SendOnceResolution } from './send-once-store.js'
import { toKept, toRepeatedInfo, toSentInfo } from './sent-info.js'

/** What moves mails: the route. */
export interface DeliveryOwner {
  /** A session has settled the email. */
  onResult(delivery: Delivery, result: TransactionResult): void
  /** The email ends early, and its holder lets go of it. */
  onStopped(delivery: Delivery, error: SmtpError | PostmarkError): void
}

/** What is reported about a finished mail. */
export type Done = (error: Error | null, info?: object) => void

/** One email from its hand-over to its outcome. */
export class Delivery implements Shipment {
  readonly envelope: Envelope
  readonly messageId: string
  readonly event: SendEvent
  readonly sentAt: number = performance.now()
  attempts = 0
  returns = 0
  place: Place
  /** When it is too late, once its first attempt has begun. Until then, this moves with the route. */
  dueAt: number | undefined
  /** How the last attempt ended. */
  lastError: SmtpError | undefined
  /** Whether an attempt may have been accepted. Later attempts cannot clear that up. */
  #isInDoubt = false
  /** Set if the email has an idempotency key. */
  readonly claim: Claim | undefined
  readonly isOfBatch: boolean
  /** Whether content that can only be read once has been read. */
  spent = false
  #content: Content | undefined
  #composeError: Error | undefined
  /** Callbacks that wait for the email to be composed. Undefined until the first one. */
  #composing: ((error: Error | undefined) => void)[] | undefined
  readonly #data: SendingMail['data']
  readonly #message: unknown
  readonly #owner: DeliveryOwner
  readonly #done: Done
  readonly #tie: BatchTie | undefined
  #stopListening: (() => void) | undefined

  /** @throws SmtpError EENVELOPE if Nodemailer\u2019s envelope cannot be written */
  constructor(
    mail: SendingMail,
    event: SendEvent,
    owner: DeliveryOwner,
    done: Done,
    claim?: Claim,
    part?: BatchPart,
  ) {
    const message = mail.message as { getEnvelope(): { from: unknown; to: unknown }; messageId(): unknown }
    this.envelope = readEnvelope(message.getEnvelope(), mail.data.dsn)
    this.messageId = String(message.messageId())
    this.#data = mail.data
    this.event = event
    this.claim = claim
    this.place = claim ? GATE : QUEUE
    this.#message = prepareMessage(mail.message, part?.body)
    this.isOfBatch = part !== undefined
    this.#owner = owner
    this.#done = done
    this.#stopListening = followSignal(mail.data.signal, this)
    this.#tie = part && new BatchTie(part.batch, this)
  }

  get content(): Content {
    if (!this.#content) throw new Error('The email has not been composed')
    return this.#content
  }

  /** The content, if all of it is in memory. */
  get isWhole(): boolean {
    return this.#content?.kind === 'whole'
  }

  /** Composes the email once. `done` is called once, immediately if the email is already composed. */
  compose(done: (error: Error | undefined) => void): void {
    if (this.#content || this.#composeError) {
      done(this.#composeError)
      return
    }
    if (this.#composing) {
      this.#composing.push(done)
      return
    }
    const waiting = [done]
    this.#composing = waiting
    composeMail(this.#message, (error, content) => {
      this.#composeError = error
      this.#composing = undefined
      if (this.place.name !== 'done') this.#content = content && this.#watch(content)
      for (const each of waiting) each(error)
    })
  }

  /** Notes when content that can only be read once is read. */
  #watch(content: Content): Content {
    if (content.kind === 'whole' || !hasStreamContent(this.#data)) return content
    return {
      kind: 'stream',
      open: () => {
        this.spent = true
        return content.open()
      },
    }
  }

  /** Releases the composed mail: an email in the queue keeps only its message. */
  release(): void {
    this.#content = undefined
  }

  /** @param opening how long the connection took to open, if this is its first email */
  beginAttempt(port: number | undefined, opening?: Opening): void {
    this.attempts++
    this.event.attempt = this.attempts
    this.event.port = port
    if (opening || this.event.opening) this.event.opening = opening
  }

  onPhase(phase: SendPhase): void {
    this.event.phase = phase
  }

  mayFinish(): boolean {
    return this.claim?.isSafe ?? true
  }

  settle(result: TransactionResult): void {
    this.#owner.onResult(this, result)
  }

  /** Notes how an attempt ended. */
  note(error: SmtpError): void {
    this.lastError = error
    if (error.outcome === 'unknown') this.#isInDoubt = true
    this.#tie?.onFailure(error)
  }

  /** Ends the email early: by its signal, its deadline, or the close of the transport. */
  stop(error: SmtpError | PostmarkError): void {
    if (this.place.name !== 'done') this.#owner.onStopped(this, error)
  }

  succeed(sent: SentMail): void {
    this.event.outcome = 'sent'
    this.event.size = sent.messageSize
    const info = toSentInfo(sent, this)
    if (!this.#leave()) return
    const { claim } = this
    if (!claim) {
      this.#done(null, info)
      return
    }
    claim.settle('sent', toKept(sent, this.messageId), (settled) => {
      if (!settled) info.postmark.sendOnce = 'unsettled'
      this.#done(null, info)
    })
  }

  /** The email was already sent under the same key. Its caller gets what was kept of the result. */
  repeat(sent: SendOnceInfo, resolution: SendOnceResolution | undefined): void {
    this.event.outcome = 'duplicate'
    const info = toRepeatedInfo(sent, resolution, this)
    if (this.#leave()) this.#done(null, info)
  }

  /** @param given what became of the last attempt; the outcome of the error, unless something else ended the email */
  fail(error: SmtpError | PostmarkError, given: DeliveryOutcome, notRetried?: string): void {
    const outcome = this.#isInDoubt ? 'unknown' : given
    this.event.outcome = outcome
    const failure: DeliveryFailure = {
      outcome,
      attempts: this.attempts,
      phase: 'phase' in error ? error.phase : this.event.phase,
      ...(notRetried ? { notRetried } : {}),
    }
    const explained = explainInMessage(Object.assign(error, failure), notRetried)
    if (!this.#leave()) return
    if (!this.claim) this.#done(explained)
    else
      this.claim.settle(outcome === 'unknown' ? 'unknown' : 'released', undefined, () =>
        this.#done(explained),
      )
  }

  /** Whether it was not finished yet. */
  #leave(): boolean {
    if (this.place.name === 'done') return false
    this.place = { name: 'done' }
    this.#content = undefined
    this.#tie?.end()
    this.#stopListening?.()
    this.#stopListening = undefined
    return true
  }
}
