import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'

/** What a process reports about an email: that it was sent, now or earlier, or why it was not. */
export interface SenderResult {
  readonly key: string
  readonly duplicate?: boolean
  readonly unsettled?: boolean
  readonly code?: string
  readonly outcome?: string
  readonly message?: string
}

/** A process that sends emails under keys. */
export interface SenderProcess extends AsyncDisposable {
  readonly child: ChildProcess
  /** Sends the email of a key; resolves to the result. */
  send(key: string): Promise<SenderResult>
}

/**
 * Starts a process that runs a script with the options as JSON in its first argument. The script must report that it is
 * ready, and then answer each key with a {@link SenderResult}. It uses the built packages.
 * @param onResult called with each answer
 */
export async function startSender(
  script: URL,
  options: object,
  onResult: (result: SenderResult) => void = () => {},
): Promise<SenderProcess> {
  const child = fork(script, [JSON.stringify(options)])
  const waiting = new Map<string, ((result: SenderResult) => void)[]>()
  const isReady = await Promise.race([
    once(child, 'message').then(() => true),
    once(child, 'exit').then(() => false),
  ])
  if (!isReady)
    throw new Error('The process ended before it was ready. It needs the built packages: npm run build')
  child.on('message', (result: SenderResult) => {
    waiting.get(result.key)?.shift()?.(result)
    onResult(result)
  })
  return {
    child,
    send: (key) =>
      new Promise((resolve) => {
        waiting.set(key, [...(waiting.get(key) ?? []), resolve])
        child.send(key, () => {})
      }),
    [Symbol.asyncDispose]: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return
      const ended = once(child, 'exit')
      child.kill('SIGKILL')
      await ended
    },
  }
}
