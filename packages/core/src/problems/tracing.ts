/** Publishes the start and the end of work on tracing channels, without the contents of its result and errors. */
import { tracingChannel } from 'node:diagnostics_channel'
import { type DeliveryOutcome, isOutcome } from './delivery-outcome.js'

/** What a tracing channel carries from start to end. */
export interface TracedEvent {
  /** From the start to the end, in milliseconds. */
  durationMs?: number
}

/** The event of the tracing channels of webhooks and jobs. Subscribers may run the work in their own context. */
export interface TracedWork extends TracedEvent {
  /** Called by a subscriber of `start`. The function it passes runs the work. */
  runIn(around: Around): void
}

/** Runs work, and returns what it returns. */
export type Around = <R>(work: () => R) => R

/** Creates the function that publishes the start and the end of work on a tracing channel of that name. */
export function createTrace<E extends TracedEvent>(
  name: string,
): <T>(event: E, work: () => Promise<T>, note?: (event: E, result: T) => void) => Promise<T> {
  const channels: Channels & TracePublisher<E & TracedWork> = tracingChannel<unknown, E & TracedWork>(name)
  return (event, work, note) => {
    if (!isObserved(channels)) return work()
    const arounds: Around[] = []
    const traced: E & TracedWork = Object.assign(event, {
      runIn: (around: Around) => void arounds.push(around),
    })
    const inside = async () => {
      const result = await arounds.reduceRight<typeof work>((inner, around) => () => around(inner), work)()
      note?.(event, result)
      return result
    }
    return publishTrace(channels, traced, inside)
  }
}

/** What subscribers see of an error: only its codes, because its text may contain an address. */
export function toPublicError(error: unknown): Error {
  const failure = readFailure(error)
  return Object.assign(new Error(`Not sent: ${failure.code ?? 'error'}`), failure)
}

/** What is published about an error. */
export interface TracedFailure {
  readonly code: string | undefined
  readonly responseCode: number | undefined
  readonly outcome: DeliveryOutcome | undefined
}

/** Reads an error. It may come from a plugin or a store, with anything in its properties. */
export function readFailure(error: unknown): TracedFailure {
  const { code, responseCode, outcome } = Object(error) as Readonly<Record<string, unknown>>
  return {
    code: toPublicCode(code),
    responseCode: typeof responseCode === 'number' ? responseCode : undefined,
    outcome: isOutcome(outcome) ? outcome : undefined,
  }
}

/** Returns a code only if it looks like one. Other text, such as an address or a token, is never published. */
export function toPublicCode(code: unknown): string | undefined {
  return typeof code === 'string' && /^[a-z]\w{0,63}$/i.test(code) ? code : undefined
}

/** Whether anyone listens. Node has this as a property from version 22 on. */
export function isObserved({ start, end, asyncStart, asyncEnd, error }: Channels): boolean {
  return (
    start.hasSubscribers ||
    asyncEnd.hasSubscribers ||
    end.hasSubscribers ||
    asyncStart.hasSubscribers ||
    error.hasSubscribers
  )
}

type Channels = Readonly<
  Record<'start' | 'end' | 'asyncStart' | 'asyncEnd' | 'error', { readonly hasSubscribers: boolean }>
>

/** A Node tracing channel. Its own type differs between the versions of @types/node that users compile with. */
interface TracePublisher<E> {
  tracePromise(work: () => Promise<void>, event: E): Promise<unknown>
}

async function publishTrace<E extends TracedEvent, T>(
  channels: TracePublisher<E>,
  event: E,
  work: () => Promise<T>,
): Promise<T> {
  let end: { readonly result: T } | { readonly error: unknown } | undefined
  const startedAt = performance.now()
  const traced = async () => {
    try {
      end = { result: await work() }
      event.durationMs = performance.now() - startedAt
    } catch (error) {
      end = { error }
      event.durationMs = performance.now() - startedAt
      throw toPublicError(error)
    }
  }
  // The traced promise rejects when the work does, and the work's own result is what counts.
  await channels.tracePromise(traced, event).catch(() => {})
  if (end && 'result' in end) return end.result
  throw end?.error
}
