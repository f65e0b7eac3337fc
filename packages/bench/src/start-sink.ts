import { fork } from 'node:child_process'
import { once } from 'node:events'
import type { SinkPorts } from './sink-ports.js'

/** Our own sink, in its own process. */
export interface Sink extends SinkPorts {
  /** Returns the number of emails that it took since the last call. */
  countMails(): Promise<number>
  stop(): void
}

/** Starts the sink. */
export async function startSink(): Promise<Sink> {
  const child = fork(new URL('./sink.js', import.meta.url), { execArgv: [] })
  const [ports] = (await once(child, 'message')) as [SinkPorts]
  let before = 0
  return {
    ...ports,
    countMails: async () => {
      child.send('count')
      const [mails] = (await once(child, 'message')) as [number]
      const taken = mails - before
      before = mails
      return taken
    },
    stop: () => child.disconnect(),
  }
}
