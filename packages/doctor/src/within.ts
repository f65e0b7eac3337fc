/** Nothing came within the time limit. */
export class LateError extends Error {
  readonly code = 'ETIMEDOUT'
}

/**
 * Waits for a promise, for a limited time.
 * @throws LateError after that time, or when the signal is aborted
 */
export async function within<T>(ms: number, signal: AbortSignal, work: PromiseLike<T>): Promise<T> {
  let stop: () => void = () => {}
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_resolve, reject) => {
    stop = () => reject(new LateError(`no answer within ${ms / 1000} s`))
    timer = setTimeout(stop, ms)
    if (signal.aborted) stop()
    else signal.addEventListener('abort', stop, { once: true })
  })
  try {
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', stop)
  }
}
