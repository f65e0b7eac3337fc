import type { Batch } from '../compile/batch-mail.js'
import { toFailure } from '../compile/failure.js'
import { copyValue } from '../message/copy-value.js'
import { describe, isRecord } from '../problems/describe.js'
import { PostmarkError, problemsError } from '../problems/error.js'
import { LONGEST_TIMER_MS } from '../problems/longest-timer.js'
import type { SmtpError } from '../problems/smtp-failure.js'
import { toError } from '../problems/to-error.js'
import type { BatchContent } from './batch-content.js'
import type { BatchItem, BatchMessage, BatchResult } from './batch-options.js'
import { toFailedResult, toResult } from './batch-outcome.js'
import type { BatchPace } from './batch-pace.js'
import type { BatchTally } from './batch-tally.js'
import type { PostmarkSentInfo } from './create-transport.js'

/** What a run is created from. */
export interface BatchPlan {
  readonly send: (message: object) => Promise<PostmarkSentInfo>
  readonly messages: Iterable<BatchMessage> | AsyncIterable<BatchMessage>
  readonly keyOf: (message: BatchMessage, index: number) => string | undefined
  /** Whether the key is the idempotency key. */
  readonly isOnce: boolean
  readonly concurrency: number
  readonly pace: BatchPace
  readonly tally: BatchTally
  readonly signal: AbortSignal | undefined
  readonly stopOn: (error: Error) => boolean
  /** Runs work in the scope in which sendBatch was called. */
  readonly here: (work: () => void) => void
}

type Source = Iterator<BatchMessage> | AsyncIterator<BatchMessage>

/** What the iteration throws after all results are read. */
interface Thrown {
  readonly value: unknown
}

/**
 * One run: takes messages as fast as emails are sent, and yields results as they arrive. It keeps only emails in progress
 * and unread results, together never more than `concurrency`.
 */
export class BatchRun implements Batch {
  readonly allowTransactional: boolean
  readonly givenUp: Set<() => void> = new Set()
  readonly #plan: BatchPlan
  readonly #results: BatchResult[] = []
  #content: BatchContent | undefined
  #source: Source | undefined
  #index = 0
  #underWay = 0
  /** Whether the source is being asked for its next message. */
  #pulling = false
  /** Whether the source has no more messages or has thrown. */
  #isDry = false
  /** Whether the run ends before its source does. */
  #isEnding = false
  #thrown: Thrown | undefined
  #timer: NodeJS.Timeout | undefined
  #wake: (() => void) | undefined

  constructor(plan: BatchPlan, allowTransactional: boolean) {
    this.#plan = plan
    this.allowTransactional = allowTransactional
  }

  get isEnding(): boolean {
    return this.#isEnding
  }

  onFailure({ outcome }: SmtpError): void {
    if (outcome === 'deferred') this.#plan.pace.onDeferred(performance.now())
  }

  /** Yields results until the source or the run ends. */
  async *results(content: BatchContent): AsyncGenerator<BatchResult, void, undefined> {
    const { signal, messages, tally, here } = this.#plan
    this.#content = content
    signal?.throwIfAborted()
    this.#source = open(messages)
    const onAbort = () => this.#stop({ value: signal?.reason })
    signal?.addEventListener('abort', onAbort, { once: true })
    let isOver = false
    try {
      while (!isOver) {
        here(this.#pump)
        const result = this.#results.shift()
        if (result) yield result
        else if (this.#underWay === 0 && (this.#isDry || this.#isEnding)) isOver = true
        else await this.#change()
      }
    } finally {
      // The reader has stopped.
      if (!isOver) this.#stop(undefined)
      while (this.#underWay > 0) await this.#change()
      signal?.removeEventListener('abort', onAbort)
      clearTimeout(this.#timer)
      await this.#closeSource()
      tally.tell()
    }
    if (this.#thrown) throw this.#thrown.value
  }

  /** Resolves when there is a result, or when nothing is in progress. */
  #change(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve
    })
  }

  #changed(): void {
    this.#wake?.()
    this.#wake = undefined
  }

  /** Ends the run. Everything that waits outside a session is given up. The first reason counts. */
  #stop(thrown: Thrown | undefined): void {
    if (this.#isEnding) return
    this.#isEnding = true
    this.#thrown ??= thrown
    clearTimeout(this.#timer)
    for (const giveUp of [...this.givenUp]) giveUp()
    this.#changed()
  }

  /** Takes messages while there is room. */
  readonly #pump = (): void => {
    const { pace, concurrency } = this.#plan
    while (!this.#pulling && !this.#isDry && !this.#isEnding) {
      if (this.#underWay >= pace.window || this.#underWay + this.#results.length >= concurrency) return
      const now = performance.now()
      const waitMs = pace.waitMs(now)
      if (waitMs > 0) {
        this.#timer ??= setTimeout(
          () => {
            this.#timer = undefined
            this.#pump()
          },
          Math.min(Math.ceil(waitMs), LONGEST_TIMER_MS),
        )
        return
      }
      this.#pull()
    }
  }

  #pull(): void {
    let next: IteratorResult<BatchMessage> | Promise<IteratorResult<BatchMessage>>
    try {
      next = this.#source!.next()
    } catch (error) {
      this.#fail(error)
      return
    }
    if (!isPromise(next)) {
      this.#take(next)
      return
    }
    this.#pulling = true
    const settle = (work: () => void) => {
      this.#pulling = false
      work()
      this.#pump()
      this.#changed()
    }
    next.then(
      (result) => settle(() => this.#take(result)),
      (error: unknown) => settle(() => this.#fail(error)),
    )
  }

  /** The source has thrown, which closes it. The emails taken from it are sent as usual. */
  #fail(error: unknown): void {
    this.#isDry = true
    this.#thrown ??= { value: error }
    this.#changed()
  }

  #take(next: IteratorResult<BatchMessage>): void {
    if (next.done) {
      this.#isDry = true
      this.#changed()
    } else if (!this.#isEnding) this.#start(next.value, this.#index++)
  }

  #start(message: BatchMessage, index: number): void {
    const { send, keyOf, isOnce, pace } = this.#plan
    pace.onStart(performance.now())
    const item: { index: number; key: string | undefined; to: BatchItem['to'] } = {
      index,
      key: undefined,
      to: undefined,
    }
    let sending: Promise<PostmarkSentInfo>
    try {
      if (!isRecord(message)) throw noMessage(message, index)
      // The source may modify the same object for the next email.
      item.to = copyValue((message as BatchMessage).to)
      item.key = keyOf(message, index)
      sending = send(this.#content!.toMessage(message, isOnce ? (item.key ?? '') : undefined))
    } catch (error) {
      sending = Promise.reject(toFailure(error))
    }
    this.#underWay++
    sending.then(
      (info) => this.#finish(toResult(item, info)),
      (error: unknown) => this.#finish(toFailedResult(item, toError(error))),
    )
  }

  #finish(result: BatchResult): void {
    const { pace, tally, stopOn } = this.#plan
    this.#underWay--
    this.#results.push(result)
    pace.onResult()
    try {
      tally.count(result.outcome)
      if ('error' in result && !this.#isEnding && stopOn(result.error))
        this.#stop({ value: endedError(result.error, tally.done) })
    } catch (error) {
      this.#stop({ value: error })
    }
    this.#pump()
    this.#changed()
  }

  /** Lets the source clean up. If it is about to return a message, that is not awaited. */
  async #closeSource(): Promise<void> {
    if (this.#isDry) return
    const closing = this.#source?.return?.()
    if (!isPromise(closing)) return
    if (this.#pulling) closing.catch(() => {})
    else await closing
  }
}

function open(messages: BatchPlan['messages']): Source {
  return Symbol.asyncIterator in messages ? messages[Symbol.asyncIterator]() : messages[Symbol.iterator]()
}

function isPromise<T>(value: T | PromiseLike<T> | undefined): value is Promise<T> {
  return typeof (value as Partial<Promise<T>> | undefined)?.then === 'function'
}

function noMessage(message: unknown, index: number): PostmarkError {
  return problemsError('ERR_POSTMARK_PREFLIGHT', [
    {
      path: `messages[${index}]`,
      found: `is ${describe(message)}`,
      limit: 'an object such as { to: "ann@example.com" }',
      cure: 'Turn each entry into a message.',
      severity: 'error',
    },
  ])
}

function endedError(cause: Error, done: number): PostmarkError {
  const so = done === 1 ? 'the first email' : `${done} emails`
  return new PostmarkError('ERR_POSTMARK_BATCH', `The run stopped after ${so}: ${cause.message}`, { cause })
}
