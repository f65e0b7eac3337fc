import { type SmtpServer, type SmtpServerOptions, startSmtpServer } from '@postmark-smtp/testing'
import { createTransport } from 'nodemailer'
import { describe, expect, it } from 'vitest'
import {
  type BatchMessage,
  type BatchOptions,
  type BatchProgress,
  type BatchResult,
  createMemorySendOnce,
  createPostmarkTransport,
  createSuppressionList,
  type PostmarkTransportOptions,
  runWithPostmark,
  sendBatch,
} from '../index.js'

const TOKEN = '6f1c2b1e-8a34-4d3a-9a60-2f7f6c1f0a11'
const message = { from: 'news@example.com', subject: 'November', text: 'Hello', html: '<p>Hello</p>' }

async function setUp(options: Partial<PostmarkTransportOptions> = {}, serverOptions: SmtpServerOptions = {}) {
  const server = await startSmtpServer(serverOptions)
  const { host, port, ca } = server
  const transporter = createPostmarkTransport({
    ...{ serverToken: TOKEN, host, ports: [port], tls: { ca }, onWarning: () => {} },
    ...{ messageStream: 'news', streams: { news: { type: 'broadcasts' } } },
    ...options,
  } as PostmarkTransportOptions)
  const end = async () => {
    await transporter.close({ force: true })
    await server.close()
  }
  return { server, transporter, [Symbol.asyncDispose]: end }
}

/** A source that says how many were taken of it, and whether it was closed. */
function createSource(count: number, toMessage: (index: number) => unknown = toReader) {
  const source = { taken: 0, closed: false, messages: generate() as AsyncGenerator<BatchMessage> }
  async function* generate() {
    try {
      for (let index = 0; index < count; index++) {
        source.taken++
        yield toMessage(index)
      }
    } finally {
      source.closed = true
    }
  }
  return source
}

function toReader(index: number): BatchMessage {
  return { to: `reader-${index}@example.com`, key: `key-${index}` }
}

/** Reads all results; what the iteration throws comes last. */
async function collect(batch: AsyncIterable<BatchResult>) {
  const results: BatchResult[] = []
  try {
    for await (const result of batch) results.push(result)
  } catch (thrown) {
    return { results, thrown: thrown as Error & { code?: string } }
  }
  return { results, thrown: undefined }
}

function countOutcomes(results: readonly BatchResult[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const { outcome } of results) counts[outcome] = (counts[outcome] ?? 0) + 1
  return counts
}

const recipients = (server: SmtpServer) => server.mails.map(({ envelope }) => envelope.to[0]!)
const refusal = (responseCode: number, text: string) => Object.assign(new Error(text), { responseCode })

describe('sendBatch', () => {
  it('takes messages only as fast as results are read', async () => {
    await using set = await setUp()
    const source = createSource(1_000)
    const batch = sendBatch(set.transporter, source.messages, { message, concurrency: 5 })
    let read = 0
    for await (const _result of batch) {
      read++
      // Whatever else can happen meanwhile has happened: nothing is under way any more.
      while (set.server.mails.length < Math.min(1_000, read + 3)) await new Promise(setImmediate)
      expect(source.taken).toBeLessThanOrEqual(read + 5)
      if (read === 100) break
    }
    expect(source.closed).toBe(true)
    expect(source.taken).toBeLessThanOrEqual(105)
  })

  it('takes nothing before the first result is asked for', async () => {
    await using set = await setUp()
    const source = createSource(3)
    const batch = sendBatch(set.transporter, source.messages, { message })
    await new Promise(setImmediate)
    expect(source.taken).toBe(0)
    expect((await collect(batch)).results).toHaveLength(3)
  })

  it('finishes the emails under way after break, closes the source, and leaves nothing open', async () => {
    await using set = await setUp()
    const source = createSource(1_000)
    let last: BatchProgress | undefined
    const onProgress = (progress: BatchProgress) => {
      last = progress
    }
    for await (const { outcome } of sendBatch(set.transporter, source.messages, { message, onProgress })) {
      expect(outcome).toBe('sent')
      break
    }
    expect(source.closed).toBe(true)
    // The source may have been giving one more just then.
    expect(last!.done).toBeGreaterThanOrEqual(source.taken - 1)
    expect(set.server.mails).toHaveLength(last!.sent)
    await set.transporter.close()
    await set.server.whenDisconnected()
  })

  it('takes any iterable: an array, a set, and a source of promises', async () => {
    await using set = await setUp()
    const list = [toReader(0), toReader(1)]
    const lists = [list, new Set(list), list.values()]
    for (const messages of lists)
      expect((await collect(sendBatch(set.transporter, messages, { message }))).results).toHaveLength(2)
  })

  it('counts all emails in its progress, with what is left of a list', async () => {
    await using set = await setUp()
    const told: BatchProgress[] = []
    const messages = Array.from({ length: 50 }, (_, index) => toReader(index))
    await collect(sendBatch(set.transporter, messages, { message, onProgress: (now) => told.push(now) }))
    expect(told[0]).toMatchObject({ done: 1, left: 49 })
    expect(told.at(-1)).toMatchObject({ sent: 50, refused: 0, failed: 0, unknown: 0, done: 50, left: 0 })
    expect(told.at(-1)!.perSecond).toBeGreaterThan(0)
  })

  it('begins no more emails in a second than it may', async () => {
    await using set = await setUp()
    const begun: number[] = []
    const messages = Array.from({ length: 30 }, (_, index) => toReader(index))
    const source = (function* () {
      for (const each of messages) {
        begun.push(performance.now())
        yield each
      }
    })()
    await collect(sendBatch(set.transporter, source, { message, perSecond: 100 }))
    // 29 intervals of 10 ms, of which 20 ms may have been made up for.
    expect(begun.at(-1)! - begun[0]!).toBeGreaterThan(265)
  })

  it('sends in the scope in which it was called, whoever reads the results', async () => {
    await using set = await setUp()
    const batch = runWithPostmark({ tag: 'november' }, () =>
      sendBatch(set.transporter, [toReader(0), toReader(1)], { message }),
    )
    const { results } = await runWithPostmark({ tag: 'other' }, () => collect(batch))
    expect(results.map((each) => each.outcome === 'sent' && each.info.postmark.tag)).toEqual([
      'november',
      'november',
    ])
  })

  it('merges headers and metadata of all emails with those of each', async () => {
    await using set = await setUp()
    const shared = {
      ...message,
      headers: { 'X-Campaign': 'november', 'X-Row': '0' },
      postmark: { tag: 'news', metadata: { campaign: 'november', row: '0' } },
    }
    const own = { to: 'a@example.com', headers: { 'x-row': '1' }, postmark: { metadata: { row: '1' } } }
    await collect(sendBatch(set.transporter, [own], { message: shared }))
    const lines = set.server.mails[0]!.headerLines
    expect(lines.filter((line) => /^x-(row|campaign|pm-)/i.test(line)).sort()).toEqual([
      'X-Campaign: november',
      'X-PM-Message-Stream: news',
      'X-PM-Metadata-campaign: november',
      'X-PM-Metadata-row: 1',
      'X-PM-Tag: news',
      'X-Row: 1',
    ])
  })

  it('lets an undefined field of an email be one that it does not have', async () => {
    await using set = await setUp()
    await collect(sendBatch(set.transporter, [{ ...toReader(0), subject: undefined } as never], { message }))
    expect(set.server.mails[0]!.header('Subject')).toBe('November')
  })

  it('works with a transporter that Nodemailer made from ours', async () => {
    await using set = await setUp()
    const outer = createTransport(set.transporter as never)
    const { results } = await collect(sendBatch(outer as never, [toReader(0)], { message }))
    expect(countOutcomes(results)).toEqual({ sent: 1 })
  })
})

describe('each email of a batch is accounted for', () => {
  it('where a tenth of the recipients is suppressed, and one in a hundred is malformed', async () => {
    const suppressions = createSuppressionList()
    for (let index = 5; index < 500; index += 10)
      suppressions.add({ address: `reader-${index}@example.com`, stream: 'news' })
    await using set = await setUp({ suppressions })
    const malformed = [null, 'reader@example.com', { to: 'no address' }, {}, { to: 'ä\u0001@example.com' }]
    const source = createSource(500, (index) =>
      index % 100 === 0 ? malformed[(index / 100) % malformed.length] : toReader(index),
    )
    let last: BatchProgress | undefined
    const onProgress = (now: BatchProgress) => {
      last = now
    }
    const { results, thrown } = await collect(
      sendBatch(set.transporter, source.messages, { message, suppressed: 'skip', onProgress }),
    )
    expect(thrown).toBeUndefined()
    expect(countOutcomes(results)).toEqual({ sent: 445, suppressed: 50, refused: 5 })
    expect(last).toMatchObject({ sent: 445, suppressed: 50, refused: 5, failed: 0, done: 500 })
    expect(new Set(results.map(({ index }) => index)).size).toBe(500)
    expect(new Set(recipients(set.server)).size).toBe(445)
    const skipped = results.find((each) => each.outcome === 'suppressed')
    expect(skipped).toMatchObject({ to: 'reader-5@example.com', recipients: ['reader-5@example.com'] })
  })

  it('where the transporter skips suppressed emails itself', async () => {
    const suppressions = createSuppressionList()
    suppressions.add({ address: 'reader-0@example.com', stream: 'news' })
    await using set = await setUp({ suppressions, suppressed: 'skip' })
    const { results } = await collect(sendBatch(set.transporter, [toReader(0), toReader(1)], { message }))
    expect(results.map(({ outcome }) => outcome).sort()).toEqual(['sent', 'suppressed'])
  })

  it('where the server refuses some, defers some for now, and some for good', async () => {
    const tried = new Map<string, number>()
    await using set = await setUp(
      { retry: { attempts: 3, baseMs: 1 } },
      {
        onRcpt: (address) => {
          const count = (tried.get(address) ?? 0) + 1
          tried.set(address, count)
          const index = Number(/\d+/.exec(address)![0])
          if (index % 10 === 3) return refusal(550, 'No such user')
          if (index % 10 === 5 && count < 3) return refusal(450, 'Later')
          return index % 10 === 7 ? refusal(450, 'Later') : undefined
        },
      },
    )
    const { results, thrown } = await collect(
      sendBatch(set.transporter, createSource(100).messages, { message }),
    )
    expect(thrown).toBeUndefined()
    expect(countOutcomes(results)).toEqual({ sent: 80, refused: 10, failed: 10 })
    expect(new Set(recipients(set.server)).size).toBe(80)
    expect(set.server.mails).toHaveLength(80)
  })

  it.each(['sync', 'async'])('where a source that is %s throws in the middle', async (kind) => {
    await using set = await setUp()
    const broken = new Error('The cursor is gone')
    const many = function* () {
      for (let index = 0; index < 50; index++) yield toReader(index)
      throw broken
    }
    const messages = kind === 'sync' ? many() : toAsync(many())
    const { results, thrown } = await collect(sendBatch(set.transporter, messages, { message }))
    expect(thrown).toBe(broken)
    expect(countOutcomes(results)).toEqual({ sent: 50 })
  })

  it('where it is aborted in the middle: the emails under way are sent, and no further one is taken', async () => {
    await using set = await setUp()
    const abort = new AbortController()
    const source = createSource(1_000)
    const batch = sendBatch(set.transporter, source.messages, { message, signal: abort.signal })
    const results: BatchResult[] = []
    const reason = new Error('Ctrl-C')
    const reading = async () => {
      for await (const result of batch) {
        results.push(result)
        if (results.length === 100) abort.abort(reason)
      }
    }
    await expect(reading()).rejects.toBe(reason)
    expect(source.closed).toBe(true)
    expect(results).toHaveLength(source.taken)
    const { sent, failed = 0, ...others } = countOutcomes(results)
    expect(others).toEqual({})
    expect(sent! + failed).toBe(source.taken)
    expect(set.server.mails).toHaveLength(sent!)
    expect(source.taken).toBeLessThan(300)
  })

  it('where it is aborted while an email waits for another attempt', async () => {
    const abort = new AbortController()
    const onRcpt = () => {
      setImmediate(() => abort.abort())
      return refusal(450, 'Later')
    }
    await using set = await setUp({ retry: { baseMs: 60_000 } }, { onRcpt })
    const source = createSource(3)
    const { results, thrown } = await collect(
      sendBatch(set.transporter, source.messages, { message, signal: abort.signal }),
    )
    expect(thrown).toBe(abort.signal.reason)
    expect(results).toMatchObject([{ outcome: 'failed', error: { code: 'EABORT', attempts: 1 } }])
    expect(source.closed).toBe(true)
  })

  it('where it is aborted while the source gives nothing', async () => {
    await using set = await setUp()
    const abort = new AbortController()
    const silent = async function* () {
      yield toReader(0)
      setImmediate(() => abort.abort())
      await new Promise<never>(() => {})
    }
    const { results, thrown } = await collect(
      sendBatch(set.transporter, silent(), { message, signal: abort.signal }),
    )
    expect(thrown).toBe(abort.signal.reason)
    expect(results.length).toBeLessThanOrEqual(1)
    expect(set.server.mails).toHaveLength(countOutcomes(results).sent ?? 0)
  })

  it('where its signal was aborted before it began', async () => {
    await using set = await setUp()
    const source = createSource(3)
    const signal = AbortSignal.abort()
    const { results, thrown } = await collect(
      sendBatch(set.transporter, source.messages, { message, signal }),
    )
    expect([results.length, source.taken]).toEqual([0, 0])
    expect(thrown).toBe(signal.reason)
  })

  it('where the login is refused from the start: one email fails, and the run ends', async () => {
    await using set = await setUp({}, { auth: [] })
    const source = createSource(1_000)
    const { results, thrown } = await collect(sendBatch(set.transporter, source.messages, { message }))
    expect(thrown).toMatchObject({ code: 'ERR_POSTMARK_BATCH', cause: { code: 'EAUTH' } })
    expect(thrown!.message).toMatch(/^The run stopped after the first email: /)
    expect(countOutcomes(results)).toEqual({ failed: 1 })
    expect(source.taken).toBe(1)
    expect(source.closed).toBe(true)
  })

  it('where the login is revoked in the middle', async () => {
    const logins = [{ user: TOKEN, pass: TOKEN }]
    await using set = await setUp(
      { pool: { maxMessages: 20, maxConnections: 2 } },
      { auth: logins, onData: () => void (set.server.mails.length === 40 && logins.pop()) },
    )
    const source = createSource(1_000)
    const { results, thrown } = await collect(sendBatch(set.transporter, source.messages, { message }))
    expect(thrown).toMatchObject({ code: 'ERR_POSTMARK_BATCH', cause: { code: 'EAUTH' } })
    const { sent, failed } = countOutcomes(results)
    expect(sent! + failed!).toBe(source.taken)
    expect(set.server.mails).toHaveLength(sent!)
    expect(source.taken).toBeLessThan(100)
  })

  it.each<[string, Partial<PostmarkTransportOptions>, BatchMessage['postmark']]>([
    ['is not among those that the transporter knows', { strictStreams: true }, { messageStream: 'old-news' }],
    ['is a transactional one', {}, { messageStream: 'outbound' }],
    ['has no valid name', {}, { messageStream: 'No Stream' }],
  ])('where the stream %s: one email is refused, and the run ends', async (_what, options, postmark) => {
    await using set = await setUp(options)
    const source = createSource(1_000)
    const { results, thrown } = await collect(
      sendBatch(set.transporter, source.messages, { message: { ...message, ...(postmark && { postmark }) } }),
    )
    expect(thrown).toMatchObject({ code: 'ERR_POSTMARK_BATCH', cause: { code: 'ERR_POSTMARK_PREFLIGHT' } })
    expect(countOutcomes(results)).toEqual({ refused: 1 })
    expect(set.server.mails).toHaveLength(0)
  })

  it('where the queue of the transporter is short', async () => {
    await using set = await setUp({ pool: { maxQueued: 3 } })
    const { results } = await collect(
      sendBatch(set.transporter, createSource(50).messages, { message, concurrency: 20 }),
    )
    expect(countOutcomes(results)).toEqual({ sent: 50 })
  })

  it('where the transporter is closed in the middle', async () => {
    await using set = await setUp()
    const results: BatchResult[] = []
    const reading = async () => {
      for await (const result of sendBatch(set.transporter, createSource(500).messages, { message })) {
        results.push(result)
        if (results.length === 50) void set.transporter.close()
      }
    }
    await expect(reading()).rejects.toMatchObject({
      code: 'ERR_POSTMARK_BATCH',
      cause: { code: 'ERR_POSTMARK_CLOSED' },
    })
    expect(set.server.mails).toHaveLength(countOutcomes(results).sent!)
    expect(results.every(({ outcome }) => outcome === 'sent' || outcome === 'failed')).toBe(true)
  })

  it('where sendMail is wrapped, and loses what it resolves to', async () => {
    await using set = await setUp()
    const { sendMail } = set.transporter
    const wrapped = Object.assign(set.transporter, {
      sendMail: async (each: object) => {
        await (sendMail as (message: object) => Promise<object>).call(set.transporter, each)
      },
    })
    const { results } = await collect(sendBatch(wrapped as never, [toReader(0), toReader(1)], { message }))
    expect(countOutcomes(results)).toEqual({ sent: 2 })
  })

  it('where stopOn decides otherwise', async () => {
    await using set = await setUp({}, { onRcpt: () => refusal(550, 'No') })
    const never = await collect(
      sendBatch(set.transporter, createSource(20).messages, { message, stopOn: () => false }),
    )
    expect(countOutcomes(never.results)).toEqual({ refused: 20 })
    const always = await collect(
      sendBatch(set.transporter, createSource(20).messages, { message, stopOn: () => true }),
    )
    expect(always.thrown).toMatchObject({ code: 'ERR_POSTMARK_BATCH' })
    expect(countOutcomes(always.results)).toEqual({ refused: 1 })
  })

  it('where a callback throws', async () => {
    await using set = await setUp()
    const broken = new Error('The bar is broken')
    const onProgress = () => {
      throw broken
    }
    const { results, thrown } = await collect(
      sendBatch(set.transporter, createSource(20).messages, { message, onProgress }),
    )
    expect(thrown).toBe(broken)
    expect(countOutcomes(results)).toEqual({ sent: 1 })
    const sendOnce = () => {
      throw broken
    }
    await using other = await setUp({ sendOnce: createMemorySendOnce() })
    const keyless = await collect(sendBatch(other.transporter, [toReader(0)], { message, sendOnce }))
    expect(keyless.results).toMatchObject([{ outcome: 'failed', error: broken }])
  })
})

describe('sendBatch with sendOnce', () => {
  it('takes the idempotency key of an email that has no other', async () => {
    await using set = await setUp({ sendOnce: createMemorySendOnce() })
    const messages = [{ to: 'a@example.com', idempotencyKey: 'own' }]
    const run = () => collect(sendBatch(set.transporter, messages, { message, sendOnce: true }))
    expect((await run()).results).toMatchObject([{ outcome: 'sent', key: 'own' }])
    expect((await run()).results).toMatchObject([{ outcome: 'duplicate', key: 'own' }])
  })

  it('sends only what is missing when the same list is sent again', async () => {
    const sendOnce = createMemorySendOnce()
    let fails = true
    await using set = await setUp(
      { sendOnce },
      { onRcpt: (address) => (fails && /7@/.test(address) ? refusal(550, 'No') : undefined) },
    )
    const options: BatchOptions = { message, sendOnce: ({ key }) => `november:${key}` }
    const first = await collect(sendBatch(set.transporter, createSource(50).messages, options))
    expect(countOutcomes(first.results)).toEqual({ sent: 45, refused: 5 })
    expect(first.results.every(({ key, index }) => key === `november:key-${index}`)).toBe(true)
    fails = false
    const second = await collect(sendBatch(set.transporter, createSource(50).messages, options))
    expect(countOutcomes(second.results)).toEqual({ duplicate: 45, sent: 5 })
    expect(new Set(recipients(set.server)).size).toBe(50)
    expect(set.server.mails).toHaveLength(50)
  })

  it('refuses an email without a key, and sends the others', async () => {
    await using set = await setUp({ sendOnce: createMemorySendOnce() })
    const messages = [toReader(0), { to: 'b@example.com' }, toReader(2)]
    const { results } = await collect(sendBatch(set.transporter, messages, { message, sendOnce: true }))
    expect(results.sort((a, b) => a.index - b.index).map(({ outcome }) => outcome)).toEqual([
      'sent',
      'refused',
      'sent',
    ])
    expect(results[1]).toMatchObject({ error: { problems: [{ path: 'idempotencyKey' }] } })
  })
})

describe('sendBatch refuses', () => {
  it.each<[string, unknown, RegExp]>([
    ['an option that it does not know', { parallel: 5 }, /Unknown option "parallel"/],
    ['a concurrency of nothing', { concurrency: 0 }, /Option concurrency is 0/],
    ['a rate that is no number', { perSecond: '10' }, /Option perSecond is "10"/],
    ['an onProgress that is not a function', { onProgress: true }, /Option onProgress/],
    ['a signal that is none', { signal: {} }, /Option signal/],
    [
      'a signal that cannot be let go of',
      { signal: { aborted: false, addEventListener: () => {} } },
      /Option signal/,
    ],
    ['another wish about suppressed emails', { suppressed: 'throw' }, /Option suppressed is "throw"/],
    ['a message that is no object', { message: 'Hello' }, /Option message is "Hello"/],
    ['sendOnce without a store', { sendOnce: true }, /Option sendOnce is true/],
    ['a total that is no count', { total: -1 }, /Option total is -1/],
    ['a flag that is no flag', { allowTransactional: 'yes' }, /Option allowTransactional/],
  ])('%s', async (_what, options, text) => {
    await using set = await setUp()
    expect(() => sendBatch(set.transporter, [], options as BatchOptions)).toThrow(text)
  })

  it('a Readable that all emails would share', async () => {
    await using set = await setUp()
    const { Readable } = await import('node:stream')
    const stream = Readable.from(['a'])
    const options = { message: { ...message, attachments: [{ filename: 'a.txt', content: stream }] } }
    expect(() => sendBatch(set.transporter, [], options)).toThrow(/read only once/)
  })

  it('what is no list of messages, and a transporter that is not ours', async () => {
    await using set = await setUp()
    expect(() => sendBatch(set.transporter, 'abc' as never)).toThrow(/Option messages/)
    const foreign = createTransport({ host: '127.0.0.1', port: set.server.port })
    expect(() => sendBatch(foreign as never, [])).toThrow(/createPostmarkTransport/)
  })
})

async function* toAsync<T>(items: Iterable<T>): AsyncGenerator<T> {
  yield* items
}
