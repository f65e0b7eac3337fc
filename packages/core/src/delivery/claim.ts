import { createHash, randomUUID } from 'node:crypto'
import { toAddressKey } from '../message/address-key.js'
import type { PostmarkError } from '../problems/error.js'
import { conflictError, heldError, storeError, unknownError } from './send-once-errors.js'
import type { SendOnceClaim, SendOnceInfo, SendOnceResolution, SendOnceStore } from './send-once-store.js'

/** How emails are claimed. */
export interface SendOnceSettings {
  readonly store: SendOnceStore
  readonly leaseMs: number
  /** Time limit for one answer of the store. */
  readonly timeoutMs: number
}

/** The result of a claim. */
export type Claimed =
  | { readonly kind: 'held' }
  | {
      readonly kind: 'sent'
      readonly info: SendOnceInfo
      readonly resolution: SendOnceResolution | undefined
    }
  | { readonly kind: 'refused'; readonly error: PostmarkError }

/** What a claim ends with. */
export type Settled = 'sent' | 'unknown' | 'released'

/** How long before the end of the lease sending stops, as a fraction of the lease. */
const GUARD = 0.1
/** How long a failed settlement is retried. After that, only a lookup at Postmark can tell. */
const SETTLE_MS = 600_000
const LONGEST_PAUSE_MS = 30_000

type State =
  /** The store has not been asked yet. */
  | 'new'
  | 'asked'
  | 'held'
  /** The store no longer holds it: its lease expired, or someone else has decided about it. Nothing may be sent. */
  | 'lost'
  /** Refused, given up or settled. */
  | 'over'

/** The claim of one email on its key. It is made once, kept over all attempts, and settled with the outcome. */
export class Claim {
  readonly #settings: SendOnceSettings
  readonly #key: string
  readonly #owner: string = randomUUID()
  #state: State = 'new'
  /** When the last successful renewal was sent. The lease starts then at the earliest. */
  #provenAt = Number.NEGATIVE_INFINITY
  #asking: NodeJS.Timeout | undefined
  #renewing: NodeJS.Timeout | undefined

  /** @param key the reference of the email, which is the hash of its key */
  constructor(settings: SendOnceSettings, key: string) {
    this.#settings = settings
    this.#key = key
  }

  /**
   * Whether the email may be sent: the fence. It checks the clock instead of a timer: while a process was stopped, no
   * timer has fired, and someone else may have decided about the claim.
   */
  get isSafe(): boolean {
    const { leaseMs } = this.#settings
    return this.#state === 'held' && performance.now() - this.#provenAt < leaseMs * (1 - GUARD)
  }

  /** Claims the key. `done` is called once, and never after the claim was settled. */
  take(recipients: readonly string[], stream: string, done: (claimed: Claimed) => void): void {
    const { store, leaseMs, timeoutMs } = this.#settings
    const askedAt = performance.now()
    this.#state = 'asked'
    const finish = (claimed: Claimed) => {
      clearTimeout(this.#asking)
      if (this.#state !== 'asked') return
      if (claimed.kind === 'held') this.#hold(askedAt)
      else this.#state = 'over'
      done(claimed)
    }
    const fail = (error: PostmarkError) => finish({ kind: 'refused', error })
    this.#asking = setTimeout(
      () => fail(storeError(`did not answer the claim within ${timeoutMs / 1000} s`)),
      timeoutMs,
    )
    const request = {
      owner: this.#owner,
      leaseMs,
      reference: this.#key,
      fingerprint: toFingerprint(recipients, stream),
    }
    ask(() => store.claim(this.#key, request)).then(
      (answer) => {
        const claimed = readAnswer(answer)
        const isLate = this.#state !== 'asked'
        finish(claimed)
        if (isLate && claimed.kind === 'held') this.#keepSettling('released')
      },
      (error: unknown) => {
        fail(storeError('failed to claim the key', error))
        // The store may have accepted the claim, and only its answer was lost.
        this.#keepSettling('released')
      },
    )
  }

  /**
   * Ends the claim. `done` is called once, with false if the store does not know the result yet; the settlement is then
   * retried. A claim whose answer is still pending is released when the answer arrives.
   */
  settle(state: Settled, info: SendOnceInfo | undefined, done: (settled: boolean) => void): void {
    const wasOurs = this.#state === 'held' || this.#state === 'lost'
    this.#state = 'over'
    clearTimeout(this.#asking)
    clearInterval(this.#renewing)
    if (wasOurs) this.#keepSettling(state, info, done)
    else done(true)
  }

  #hold(askedAt: number): void {
    this.#state = 'held'
    this.#provenAt = askedAt
    this.#renewing = setInterval(this.#renew, this.#settings.leaseMs / 3)
    // The email keeps the process alive.
    this.#renewing.unref()
  }

  #renew = (): void => {
    const { store, leaseMs } = this.#settings
    const askedAt = performance.now()
    ask(() => store.renew(this.#key, this.#owner, leaseMs)).then(
      (renewed) => {
        if (renewed) this.#provenAt = Math.max(this.#provenAt, askedAt)
        else if (this.#state === 'held') {
          this.#state = 'lost'
          clearInterval(this.#renewing)
        }
      },
      // The next one may succeed.
      () => {},
    )
  }

  /**
   * Tries to settle until the store has accepted it, or it is too late.
   * @param onTold called after the first attempt
   */
  #keepSettling(state: Settled, info?: SendOnceInfo, onTold: (settled: boolean) => void = () => {}): void {
    const { store, timeoutMs } = this.#settings
    const since = performance.now()
    let pauseMs = 500
    const tell = (onTold: (settled: boolean) => void, isFirst: boolean) => {
      let waiting = true
      const finish = (settled: boolean) => {
        if (!waiting) return
        waiting = false
        clearTimeout(timer)
        onTold(settled)
      }
      const fail = () => {
        if (waiting && performance.now() - since < SETTLE_MS) {
          setTimeout(tell, pauseMs, () => {}, false).unref()
          pauseMs = Math.min(LONGEST_PAUSE_MS, 2 * pauseMs)
        }
        finish(false)
      }
      const timer = setTimeout(fail, timeoutMs)
      if (!isFirst) timer.unref()
      ask(() => store.settle(this.#key, this.#owner, state, info)).then(
        (changed) => finish(changed || state !== 'sent'),
        fail,
      )
    }
    tell(onTold, true)
  }
}

/** Turns what a store throws synchronously into a rejected promise. */
async function ask<T>(question: () => T | Promise<T>): Promise<T> {
  return await question()
}

/** The recipients in any order, and the stream. */
function toFingerprint(recipients: readonly string[], stream: string): string {
  const sorted = [...new Set(recipients.map(toAddressKey))].sort()
  return createHash('sha256')
    .update(JSON.stringify([stream, ...sorted]))
    .digest('base64url')
}

function readAnswer(answer: SendOnceClaim): Claimed {
  if (answer === 'claimed') return { kind: 'held' }
  if (answer === 'conflict') return { kind: 'refused', error: conflictError() }
  if (typeof answer === 'object' && answer !== null) {
    if ('sent' in answer) return { kind: 'sent', info: answer.info ?? {}, resolution: answer.resolution }
    if ('held' in answer) return { kind: 'refused', error: heldError(answer.forMs) }
    if ('unknown' in answer) return { kind: 'refused', error: unknownError(answer.sinceMs, answer.reference) }
  }
  return { kind: 'refused', error: storeError('returned an invalid answer to the claim') }
}
