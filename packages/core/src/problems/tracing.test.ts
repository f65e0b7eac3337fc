import { AsyncLocalStorage } from 'node:async_hooks'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { afterEach, describe, expect, it } from 'vitest'
import { createTrace, type TracedEvent, type TracedWork } from './tracing.js'

interface Work extends TracedEvent {
  readonly name: string
  outcome?: string
}

const START = 'tracing:postmark-smtp:test:start'
const END = 'tracing:postmark-smtp:test:asyncEnd'
const trace = createTrace<Work>('postmark-smtp:test')

const subscribed: [string, (event: unknown) => void][] = []
function on(name: string, listener: (event: Work & TracedWork) => void): void {
  const each = listener as (event: unknown) => void
  subscribed.push([name, each])
  subscribe(name, each)
}
afterEach(() => {
  for (const [name, listener] of subscribed.splice(0)) unsubscribe(name, listener)
})

describe('traced work', () => {
  it('is only done where nobody listens', async () => {
    const event: Work = { name: 'a' }
    expect(await trace(event, async () => 'done')).toBe('done')
    expect(event).toEqual({ name: 'a' })
  })

  it('runs inside of what each subscriber puts around it, the first one outermost', async () => {
    const storage = new AsyncLocalStorage<readonly string[]>()
    const wrap = (name: string) =>
      on(START, (event) => event.runIn((work) => storage.run([...(storage.getStore() ?? []), name], work)))
    wrap('first')
    wrap('second')
    const seen = await trace({ name: 'a' }, async () => {
      await new Promise(setImmediate)
      return storage.getStore()
    })
    expect(seen).toEqual(['first', 'second'])
    expect(storage.getStore()).toBeUndefined()
  })

  it('ends with its duration and what is noted of its result', async () => {
    const ends: Work[] = []
    on(END, (event) => ends.push({ ...event }))
    const note = (event: Work, result: string) => {
      event.outcome = result
    }
    await trace({ name: 'a' }, async () => 'handled', note)
    expect(ends).toEqual([
      expect.objectContaining({ name: 'a', outcome: 'handled', durationMs: expect.any(Number) }),
    ])
  })

  it('fails with its own error, of which subscribers see the code only', async () => {
    const ends: object[] = []
    on(END, (event) => ends.push({ ...event }))
    const error = Object.assign(new Error('550 ann@example.com'), { code: 'EENVELOPE' })
    await expect(trace({ name: 'a' }, () => Promise.reject(error))).rejects.toBe(error)
    expect(ends).toEqual([
      expect.objectContaining({ error: expect.objectContaining({ message: 'Not sent: EENVELOPE' }) }),
    ])
  })
})
