import type { Context } from 'hono'
import { streamSSE } from 'hono/streaming'
import type { PageContext } from './page-context.js'

/** At most one message in this time, so that a thousand emails are one change. */
const PAUSE_MS = 100
/** Proxies and laptops close idle connections. */
const PING_MS = 25_000

/** Sends an event (SSE) when something changes. The page then loads itself again. */
export function liveUpdates(c: Context, { server, webhooks, read }: PageContext): Response {
  return streamSSE(c, async (stream) => {
    // The first message covers what happened between the page and this connection.
    let changed = true
    let onChange = () => {}
    let onAbort = () => {}
    const change = () => {
      changed = true
      onChange()
    }
    const stops = [
      server.on('mail', change),
      server.on('event', change),
      server.on('removed', change),
      webhooks.onAttempt(change),
      read.onChange(change),
    ]
    stream.onAbort(() => onAbort())
    const sleep = (ms: number, untilChange: boolean) =>
      new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, ms).unref()
        onAbort = () => {
          clearTimeout(timer)
          resolve()
        }
        onChange = untilChange ? onAbort : () => {}
      })
    while (!stream.aborted && !stream.closed) {
      const event = changed ? 'change' : 'ping'
      changed = false
      await stream.writeSSE({ event, data: '' })
      await sleep(PAUSE_MS, false)
      if (!changed && !stream.aborted) await sleep(PING_MS, true)
    }
    for (const stop of stops) stop()
  })
}
