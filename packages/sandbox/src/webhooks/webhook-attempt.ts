import type { RecordType } from '../server/sandbox-event.js'

/** One post of an event to a webhook. */
export interface WebhookAttempt {
  readonly eventId: number
  readonly recordType: RecordType
  readonly webhookId: number
  /** The URL, without user and password. */
  readonly url: string
  /** The same for every attempt of one event at one webhook. */
  readonly traceId: string
  /** 1 for the first. */
  readonly attempt: number
  readonly at: Date
  /** Milliseconds until the reply, or until the sandbox gave up. */
  readonly durationMs: number
  /** The HTTP status of the reply; undefined if there was no reply. */
  readonly status?: number
  /** Why there was no reply. */
  readonly error?: string
  /** `done` (2xx), `retry` (another follows at `nextAt`), `dropped` (no other follows). */
  readonly outcome: 'done' | 'retry' | 'dropped'
  readonly nextAt?: Date
}

/** The attempts so far, and the listeners. */
export interface AttemptLog {
  readonly attempts: readonly WebhookAttempt[]
  add(attempt: WebhookAttempt): void
  clear(): void
  /** Calls the listener after each attempt from now on. Returns a function that stops this. */
  onAttempt(listener: (attempt: WebhookAttempt) => void): () => void
}

const MOST_KEPT = 1000

/** An empty log, which keeps the last 1000. */
export function createAttemptLog(): AttemptLog {
  const attempts: WebhookAttempt[] = []
  const listeners = new Set<(attempt: WebhookAttempt) => void>()
  return {
    attempts,
    add(attempt) {
      attempts.push(attempt)
      if (attempts.length > MOST_KEPT) attempts.shift()
      for (const listener of listeners) listener(attempt)
    },
    clear() {
      attempts.length = 0
    },
    onAttempt(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
}
