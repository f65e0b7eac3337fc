/** What ends a mail early: its signal, its deadline, or the close of the transport. */
export interface SendStop {
  /** Why it ended; undefined while it goes on. */
  readonly reason: Error | undefined
  /** Called once, when the end comes. */
  onStop: ((error: Error) => void) | undefined
  /** Starts the deadline; further calls change nothing. */
  startClock(deadlineMs: number): void
  /** Waits; false where the end came first. */
  pause(ms: number): Promise<boolean>
  /** Lets go of signal and timers. */
  end(): void
}

/**
 * Makes the stop of one mail.
 * @param signal the `signal` of the message; one of another realm will do
 * @param stops where `close` finds the mails that it must end; a plain set, since a signal warns of many listeners
 */
export function createSendStop(signal: unknown, stops: Set<(error: Error) => void>): SendStop {
  const given = isAbortSignal(signal) ? signal : undefined
  let clock: NodeJS.Timeout | undefined
  let wake: (() => void) | undefined
  const trigger = (error: Error) => {
    if (stop.reason) return
    stop.reason = error
    wake?.()
    stop.onStop?.(error)
  }
  const onAbort = () => trigger(abortError(given?.reason))
  const stop: SendStop & { reason: Error | undefined } = {
    reason: undefined,
    onStop: undefined,
    startClock: (deadlineMs) => {
      clock ??= setTimeout(() => {
        const error = new Error(`The mail was not through after ${deadlineMs / 1000} s`)
        trigger(Object.assign(error, { code: 'ETIMEDOUT', command: 'API' }))
      }, deadlineMs)
    },
    pause: async (ms) => {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, ms)
        wake = () => {
          clearTimeout(timer)
          resolve()
        }
      })
      return stop.reason === undefined
    },
    end: () => {
      clearTimeout(clock)
      given?.removeEventListener('abort', onAbort)
      stops.delete(trigger)
    },
  }
  stops.add(trigger)
  if (given?.aborted) onAbort()
  else given?.addEventListener('abort', onAbort, { once: true })
  return stop
}

function isAbortSignal(value: unknown): value is AbortSignal {
  const signal = value as Partial<AbortSignal> | null | undefined
  return typeof signal?.aborted === 'boolean' && typeof signal.addEventListener === 'function'
}

/** As Nodemailer 10 words it. */
function abortError(reason: unknown): Error {
  const error = new Error('Message sending aborted', { cause: reason })
  return Object.assign(error, { name: 'AbortError', code: 'EABORT' })
}
