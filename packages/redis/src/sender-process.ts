import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'

/** What a process tells of a mail: it was sent, now or before, or why not. */
export interface SenderResult {
  readonly key: string
  readonly duplicate?: boolean
  readonly unsettled?: boolean
  readonly code?: string
  readonly outcome?: string
  readonly message?: string
}

/** A process that sends mails under keys. */
export interface SenderProcess extends AsyncDisposable {
  readonly child: ChildProcess
  /** Sends the mail of a key; resolves to what became of it. */
  send(key: string): Promise<SenderResult>
}

/** Starts a process with a transport of its own; it ends with its parent. */
export async function startSender(
  options: object,
  onResult: (result: SenderResult) => void = () => {},
): Promise<SenderProcess> {
  if (!existsSync(new URL('../dist/index.js', import.meta.url))) throw new Error('Run npm run build first')
  const child = fork(new URL('./send-once-process.mjs', import.meta.url), [JSON.stringify(options)])
  const waiting = new Map<string, ((result: SenderResult) => void)[]>()
  await once(child, 'message')
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
