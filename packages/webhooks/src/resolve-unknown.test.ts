import { createPostmarkTransport } from '@postmark-smtp/core'
import { type SandboxOptions, startSandbox } from '@postmark-smtp/sandbox'
import { ServerClient } from 'postmark'
import { afterEach, describe, expect, it } from 'vitest'
import {
  type MailClient,
  type MailFilter,
  type ResolveUnknownOptions,
  resolveUnknown,
  type UnknownSend,
  type UnknownStore,
} from './index.js'

const MINUTE = 60_000
const DAY = 86_400_000
const ANN = 'ann@example.com'
const retry = { attempts: 2, baseMs: 1 }

/** A store with these unknown emails, which notes what is resolved and forgets it then. */
function createStore(...unknowns: UnknownSend[]) {
  const resolved: unknown[][] = []
  const store: UnknownStore = {
    async *unknowns() {
      yield* [...unknowns]
    },
    async resolve(...call) {
      resolved.push(call)
      unknowns.splice(
        unknowns.findIndex(({ id }) => id === call[0]),
        1,
      )
    },
  }
  return { store, resolved, left: () => unknowns.map(({ id }) => id) }
}
const unknown = (reference: string, sinceMs: number): UnknownSend => ({
  id: `id-${reference}`,
  reference,
  sinceMs,
})

const cleanup: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of cleanup.splice(0).reverse()) await close()
})

/** An application that sends with a reference, and a Postmark that lists emails a minute after it took them. */
async function start(options: SandboxOptions = {}) {
  const sandbox = await startSandbox({ searchDelayMs: MINUTE, ...options })
  cleanup.push(sandbox.close)
  const transporter = createPostmarkTransport({ url: sandbox.url })
  cleanup.push(() => transporter.close())
  const client = new ServerClient(sandbox.token, { requestHost: sandbox.apiHost, useHttps: false })
  const send = (reference: string, more: object = {}) => {
    const postmark = { metadata: { 'send-once': reference }, ...more }
    return transporter.sendMail({ from: 'shop@example.com', to: ANN, subject: 'Hi', text: 'Hello', postmark })
  }
  const resolve = (store: UnknownStore, more: Partial<ResolveUnknownOptions> = {}) =>
    resolveUnknown(store, client, { streams: ['outbound', 'broadcast'], waitMs: 2 * MINUTE, retry, ...more })
  return { sandbox, client, send, resolve }
}

describe('resolveUnknown', () => {
  it('finds an email whose reply got lost when Postmark lists it, and says so to the store', async () => {
    const { sandbox, send, resolve } = await start({
      faults: [{ phase: 'dot', kind: 'cut', accepted: true }],
    })
    await expect(send('r-1')).rejects.toMatchObject({ outcome: 'unknown' })
    expect(sandbox.outbox).toHaveLength(1)
    const { store, resolved } = createStore(unknown('r-1', MINUTE / 2))
    expect(await resolve(store)).toMatchObject([
      { id: 'id-r-1', resolved: undefined, found: { state: 'not-found' } },
    ])
    expect(resolved).toEqual([])
    await sandbox.advance(MINUTE)
    expect(await resolve(store)).toMatchObject([
      { reference: 'r-1', resolved: 'sent', found: { state: 'sent' } },
    ])
    expect(resolved).toEqual([['id-r-1', 'sent', { messageId: sandbox.outbox[0]?.messageId }]])
    expect(await resolve(store)).toEqual([])
  })

  it('frees the key of an email that never got through, not before waitMs is over', async () => {
    const { resolve } = await start()
    const { store, resolved, left } = createStore(
      unknown('young', 2 * MINUTE - 1),
      unknown('old', 2 * MINUTE),
    )
    expect(await resolve(store)).toMatchObject([{ resolved: undefined }, { resolved: 'released' }])
    expect(resolved).toEqual([['id-old', 'released', undefined]])
    expect(left()).toEqual(['id-young'])
  })

  it('waits ten minutes by default', async () => {
    const { client } = await start()
    const { store, resolved } = createStore(unknown('young', 10 * MINUTE - 1), unknown('old', 10 * MINUTE))
    await resolveUnknown(store, client, { streams: ['outbound'] })
    expect(resolved.map(([id, state]) => [id, state])).toEqual([['id-old', 'released']])
  })

  it('takes an email that Postmark refused after its 250 for sent, with the error code', async () => {
    const { sandbox, send, resolve } = await start()
    sandbox.suppress(ANN)
    await send('r-1')
    await sandbox.advance(MINUTE)
    const { store, resolved } = createStore(unknown('r-1', 5 * MINUTE), unknown('r-2', 5 * MINUTE))
    expect(await resolve(store)).toMatchObject([
      { resolved: 'sent', found: { state: 'refused', errorCode: 406 } },
      { resolved: 'released' },
    ])
    expect(resolved).toEqual([
      ['id-r-1', 'sent', { errorCode: 406 }],
      ['id-r-2', 'released', undefined],
    ])
  })

  it('searches all streams that it is told of, and a key of your own', async () => {
    const { sandbox, send, resolve } = await start()
    await send('r-1', { messageStream: 'broadcast' })
    await send('', { metadata: { reference: 'r-2' } })
    await sandbox.advance(MINUTE)
    const { store, resolved } = createStore(unknown('r-1', 0))
    await resolve(store)
    expect(resolved).toMatchObject([['id-r-1', 'sent', {}]])
    const own = createStore(unknown('r-2', 0))
    await resolve(own.store, { metadataKey: 'reference' })
    expect(own.resolved).toMatchObject([['id-r-2', 'sent', {}]])
  })

  it('resolves each of a hundred, whatever became of it', async () => {
    const { sandbox, send, resolve } = await start()
    const references = Array.from({ length: 100 }, (_, n) => `r-${n}`)
    const taken = references.filter((_, n) => n % 3 === 0)
    for (const reference of taken) await send(reference)
    await sandbox.advance(MINUTE)
    const { store, resolved, left } = createStore(
      ...references.map((reference) => unknown(reference, 5 * MINUTE)),
    )
    expect(await resolve(store)).toHaveLength(100)
    expect(left()).toEqual([])
    const sent = resolved.filter(([, state]) => state === 'sent').map(([id]) => id)
    expect(sent).toEqual(taken.map((reference) => `id-${reference}`))
  })
})

/** A client that finds nothing, and notes what it is asked for. */
function createClient(more: Partial<MailClient> = {}) {
  const asked: MailFilter[] = []
  const client: MailClient = {
    getOutboundMessages: async (filter = {}) => {
      asked.push(filter)
      return { TotalCount: 0, Messages: [] }
    },
    ...more,
  }
  return { client, asked }
}
const options: ResolveUnknownOptions = { streams: ['outbound'], retry }

describe('resolveUnknown asks', () => {
  it('nothing where nothing is unknown', async () => {
    const { client, asked } = createClient()
    expect(await resolveUnknown(createStore().store, client, options)).toEqual([])
    expect(asked).toEqual([])
  })

  it('for emails from a day before they became unknown, each stream once', async () => {
    const { client, asked } = createClient()
    const { store } = createStore(unknown('r-1', DAY))
    await resolveUnknown(store, client, { ...options, streams: ['outbound', 'news', 'outbound'] })
    expect(asked).toMatchObject([
      { messageStream: 'outbound', 'metadata_send-once': 'r-1' },
      { messageStream: 'news', 'metadata_send-once': 'r-1' },
    ])
    const from = new Date(`${asked[0]?.fromDate}-05:00`).getTime()
    // Eastern time is five hours behind in winter and four in summer.
    expect(Math.abs(Date.now() - 2 * DAY - from)).toBeLessThan(2 * 3_600_000)
  })

  it('for refused emails once for all, and not for those that stay unknown for good', async () => {
    let lists = 0
    const { client } = createClient({
      getBounces: async () => {
        lists += 1
        return { TotalCount: 0, Bounces: [] }
      },
      getBounceDump: async () => ({ Body: '' }),
    })
    const { store } = createStore(...Array.from({ length: 20 }, (_, n) => unknown(`r-${n}`, DAY)))
    await resolveUnknown(store, client, options)
    expect(lists).toBe(1)
    const ancient = createStore(unknown('r-1', 8 * DAY))
    expect(await resolveUnknown(ancient.store, client, options)).toMatchObject([{ resolved: undefined }])
    expect([lists, ancient.resolved]).toEqual([1, []])
  })
})

describe('resolveUnknown frees no key', () => {
  it('of an email that Postmark may have deleted by now', async () => {
    const { store, resolved } = createStore(unknown('r-1', 7 * DAY))
    await resolveUnknown(store, createClient().client, options)
    expect(resolved).toEqual([])
  })

  it('where Postmark does not list everything', async () => {
    const other = { MessageID: 'm', Metadata: { 'send-once': 'other' } }
    const { client } = createClient({
      getOutboundMessages: async ({ count = 0 } = {}) => ({
        TotalCount: 20_000,
        Messages: Array.from({ length: count }, () => other),
      }),
    })
    const { store, resolved } = createStore(unknown('r-1', DAY))
    expect(await resolveUnknown(store, client, options)).toMatchObject([{ found: { trusted: undefined } }])
    expect(resolved).toEqual([])
  })

  it('where a search fails, and keeps what was resolved before', async () => {
    const cause = Object.assign(new Error('down'), { statusCode: 503 })
    const found = { TotalCount: 1, Messages: [{ MessageID: 'm-0', Metadata: { 'send-once': 'r-0' } }] }
    const { client } = createClient({
      getOutboundMessages: async (filter = {}) => {
        if (filter['metadata_send-once'] === 'r-9') throw cause
        return filter['metadata_send-once'] === 'r-0' ? found : { TotalCount: 0, Messages: [] }
      },
    })
    const { store, resolved } = createStore(...Array.from({ length: 10 }, (_, n) => unknown(`r-${n}`, DAY)))
    await expect(resolveUnknown(store, client, options)).rejects.toMatchObject({
      code: 'ERR_POSTMARK_BOUNCES',
      cause,
    })
    expect(resolved).toEqual([['id-r-0', 'sent', { messageId: 'm-0' }]])
  })

  it('where the list of refused emails fails', async () => {
    const { client } = createClient({
      getBounces: () => Promise.reject(new Error('down')),
      getBounceDump: async () => ({ Body: '' }),
    })
    const { store, resolved } = createStore(unknown('r-1', DAY))
    await expect(resolveUnknown(store, client, options)).rejects.toMatchObject({
      code: 'ERR_POSTMARK_BOUNCES',
    })
    expect(resolved).toEqual([])
  })

  it('after its signal, whose reason it throws', async () => {
    const reason = new Error('enough')
    const { store, resolved } = createStore(unknown('r-1', DAY))
    const signal = AbortSignal.abort(reason)
    await expect(resolveUnknown(store, createClient().client, { ...options, signal })).rejects.toBe(reason)
    expect(resolved).toEqual([])
  })
})

it('resolveUnknown lets through what the store throws', async () => {
  const error = new Error('the database is down')
  const { store } = createStore(unknown('r-1', DAY))
  const broken = { ...store, resolve: () => Promise.reject(error) }
  await expect(resolveUnknown(broken, createClient().client, options)).rejects.toBe(error)
})

it.each<[object, string]>([
  [{ streams: undefined }, 'streams is'],
  [{ streams: [] }, 'streams is'],
  [{ metadataKey: '' }, 'metadataKey is'],
  [{ waitMs: -1 }, 'waitMs is'],
  [{ lookBackMs: 1.5 }, 'lookBackMs is'],
  [{ retry: 7 }, 'retry is'],
  [{ stream: 'outbound' }, 'Did you mean "streams"?'],
])('resolveUnknown refuses the options %j', async (wrong, message) => {
  const { store } = createStore()
  const run = resolveUnknown(store, createClient().client, { ...options, ...wrong } as ResolveUnknownOptions)
  await expect(run).rejects.toThrow(message)
})

it('resolveUnknown refuses what is no store, and what is no client', async () => {
  const { store } = createStore()
  await expect(resolveUnknown({} as UnknownStore, createClient().client, options)).rejects.toThrow('store is')
  await expect(resolveUnknown(store, {} as MailClient, options)).rejects.toThrow('client is')
})
