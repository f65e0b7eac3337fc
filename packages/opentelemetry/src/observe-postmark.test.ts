import { channel } from 'node:diagnostics_channel'
import { Readable } from 'node:stream'
import { context, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import { DataPointType, type Histogram, MeterProvider, MetricReader } from '@opentelemetry/sdk-metrics'
import {
  AlwaysOffSampler,
  BasicTracerProvider,
  InMemorySpanExporter,
  type ReadableSpan,
  type Sampler,
  SamplingDecision,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base'
import { createPostmarkTransport, type PostmarkTransportOptions } from '@postmark-smtp/core'
import { type JobEvent, traceJob } from '@postmark-smtp/core/internal'
import { startSandbox } from '@postmark-smtp/sandbox'
import { type SmtpServerOptions, startSmtpServer } from '@postmark-smtp/testing'
import { createWebhookHandler } from '@postmark-smtp/webhooks'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { type ObserveOptions, observePostmark, type PostmarkObservation } from './index.js'

const TOKEN = '6f1c2b1e-8a34-4d3a-9a60-2f7f6c1f0a11'
const message = { from: 'a@example.com', to: 'b@example.com', subject: 'Hello', text: 'Hello' }

class Reader extends MetricReader {
  protected override async onShutdown(): Promise<void> {}
  protected override async onForceFlush(): Promise<void> {}
}

const CHANNELS = [
  ...['create', 'connect', 'retry', 'warning', 'enqueue'].map((name) => `postmark-smtp:${name}`),
  ...['send', 'job', 'webhook'].flatMap((name) =>
    ['start', 'end', 'asyncStart', 'asyncEnd', 'error'].map(
      (when) => `tracing:postmark-smtp:${name}:${when}`,
    ),
  ),
]

beforeAll(() => {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
})
afterAll(() => context.disable())

const observations: PostmarkObservation[] = []
afterEach(() => {
  for (const observation of observations.splice(0)) observation.stop()
})

/** An SDK that keeps what it gets, and an observation that reports to it. */
function observe(options: ObserveOptions = {}) {
  const exporter = new InMemorySpanExporter()
  const tracerProvider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] })
  const reader = new Reader()
  const meterProvider = new MeterProvider({ readers: [reader] })
  const observation = observePostmark({ tracerProvider, meterProvider, ...options })
  observations.push(observation)
  /** Each metric with its points: the value, or of a histogram the count, by the attributes that are asked for. */
  const metrics = async (...by: string[]) => {
    const { resourceMetrics } = await reader.collect()
    const found: Record<string, Record<string, number>> = {}
    for (const metric of resourceMetrics.scopeMetrics.flatMap((scope) => scope.metrics)) {
      const points = metric.dataPoints as readonly { value: unknown; attributes: Record<string, unknown> }[]
      found[metric.descriptor.name] = {}
      for (const { value, attributes } of points) {
        const key = by.flatMap((name) => attributes[name] ?? []).join(' ')
        const number =
          metric.dataPointType === DataPointType.HISTOGRAM
            ? (value as { count: number }).count
            : Number(value)
        const row = found[metric.descriptor.name]!
        row[key] = (row[key] ?? 0) + number
      }
    }
    return found
  }
  const spans = (): readonly ReadableSpan[] => exporter.getFinishedSpans()
  const providers = { tracerProvider, meterProvider }
  return { tracer: tracerProvider.getTracer('test'), providers, spans, metrics, reader, observation }
}

async function setUp(options: object = {}, serverOptions: SmtpServerOptions = {}) {
  const server = await startSmtpServer({ auth: [{ user: TOKEN, pass: TOKEN }], ...serverOptions })
  const { host, port, ca } = server
  const base = { serverToken: TOKEN, host, ports: [port], tls: { ca }, retry: { baseMs: 1 } }
  const all = { ...base, onWarning: () => {}, ...options } as PostmarkTransportOptions
  const transporter = createPostmarkTransport(all)
  const end = async () => {
    await transporter.close({ deadlineMs: 1 })
    await server.close()
  }
  return { server, transporter, [Symbol.asyncDispose]: end }
}

const refuse = (code: number) => Object.assign(new Error('<b@example.com> Hello'), { responseCode: code })

describe('the span of an email', () => {
  it('is below the span that was active at sendMail, with what the messaging conventions ask for', async () => {
    const { tracer, spans } = observe()
    await using set = await setUp({ correlationId: true })
    const request = tracer.startSpan('request')
    const { postmark } = await context.with(trace.setSpan(context.active(), request), () =>
      set.transporter.sendMail({ ...message, postmark: { messageStream: 'receipts', tag: 'receipt' } }),
    )
    const [mail] = spans().filter(({ name }) => name === 'send receipts')
    expect(mail!.parentSpanContext?.spanId).toBe(request.spanContext().spanId)
    expect(mail!.kind).toBe(SpanKind.CLIENT)
    expect(mail!.status.code).toBe(SpanStatusCode.UNSET)
    expect(mail!.attributes).toEqual({
      'messaging.system': 'postmark',
      'messaging.operation.name': 'send',
      'messaging.operation.type': 'send',
      'messaging.destination.name': 'receipts',
      'messaging.message.conversation_id': postmark.correlationId,
      'server.address': '127.0.0.1',
      'server.port': set.server.port,
      'postmark.tag': 'receipt',
      'postmark.outcome': 'sent',
      'postmark.attempts': 1,
      'postmark.recipient.count': 1,
    })
    expect(set.server.mails[0]!.header('X-PM-Metadata-traceparent')).toBeUndefined()
  })

  it('has a span for the connection that it was the first to use, one for the login, and an event for a retry', async () => {
    const replies = [refuse(451)]
    const { spans } = observe()
    await using set = await setUp({}, { onData: () => replies.shift() })
    await set.transporter.sendMail(message)
    await set.transporter.sendMail(message)
    const [first, second] = spans().filter(({ name }) => name === 'send outbound')
    const children = spans().filter(({ parentSpanContext }) => parentSpanContext !== undefined)
    expect(children.map(({ name, parentSpanContext }) => [name, parentSpanContext?.spanId])).toEqual([
      ['connect', first!.spanContext().spanId],
      ['login', first!.spanContext().spanId],
    ])
    expect(second!.events).toEqual([])
    expect(first!.attributes['postmark.attempts']).toBe(2)
    expect(first!.events).toEqual([
      expect.objectContaining({
        name: 'retry',
        attributes: expect.objectContaining({
          'postmark.attempts': 1,
          'postmark.outcome': 'deferred',
          'postmark.phase': 'final',
          'postmark.reply.code': 451,
          'error.type': 'EMESSAGE',
        }),
      }),
    ])
  })

  it.each<[string, object, SmtpServerOptions, object]>([
    [
      'a server refuses',
      {},
      { onData: () => refuse(554) },
      { 'error.type': 'EMESSAGE', 'postmark.outcome': 'rejected', 'postmark.reply.code': 554 },
    ],
    [
      'preflight refuses',
      { subject: 'Hello'.repeat(600) },
      {},
      { 'error.type': 'ERR_POSTMARK_PREFLIGHT', 'postmark.outcome': 'not-sent', 'postmark.phase': 'compile' },
    ],
  ])('that %s has the code of the error, and no word of it', async (_who, more, serverOptions, expected) => {
    const { spans } = observe({ traceparent: true })
    await using set = await setUp({}, serverOptions)
    await expect(set.transporter.sendMail({ ...message, ...more })).rejects.toThrow()
    const [mail] = spans().filter(({ name }) => name === 'send outbound')
    expect(mail!.status).toEqual({
      code: SpanStatusCode.ERROR,
      message: mail!.attributes['error.type'],
    })
    expect(mail!.attributes).toMatchObject(expected)
    const all = spans().map(({ name, attributes, events, status }) => ({ name, attributes, events, status }))
    expect(JSON.stringify(all)).not.toMatch(/example\.com|Hello|6f1c2b1e/)
  })

  it('takes the name of the stream that the headers of a raw message give it', async () => {
    const { spans } = observe()
    await using set = await setUp()
    const raw = 'From: a@example.com\r\nX-PM-Message-Stream: of-raw\r\nSubject: Hello\r\n\r\nHello\r\n'
    await set.transporter.sendMail({ envelope: { from: message.from, to: message.to }, raw })
    const [mail] = spans().filter(({ name }) => name === 'send of-raw')
    expect(mail!.attributes['messaging.destination.name']).toBe('of-raw')
  })

  it('is a producer whose trace context the email carries, where that is asked for', async () => {
    const { spans } = observe({ traceparent: { key: 'tp' } })
    await using set = await setUp()
    await set.transporter.sendMail(message)
    await set.transporter.sendMail({ ...message, postmark: { metadata: { TP: 'mine' } } })
    const [mail] = spans().filter(({ name }) => name === 'send outbound')
    const { traceId, spanId } = mail!.spanContext()
    expect(mail!.kind).toBe(SpanKind.PRODUCER)
    expect(set.server.mails.map((each) => each.header('X-PM-Metadata-tp'))).toEqual([
      `00-${traceId}-${spanId}-01`,
      'mine',
    ])
  })
})

it('an email that is not sampled has no span that is exported, and carries a trace context that says so', async () => {
  const exporter = new InMemorySpanExporter()
  const spanProcessors = [new SimpleSpanProcessor(exporter)]
  const tracerProvider = new BasicTracerProvider({ sampler: new AlwaysOffSampler(), spanProcessors })
  const { metrics } = observe({ tracerProvider, traceparent: true })
  await using set = await setUp()
  await set.transporter.sendMail(message)
  expect(exporter.getFinishedSpans()).toEqual([])
  expect(set.server.mails[0]!.header('X-PM-Metadata-traceparent')).toMatch(
    /^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/,
  )
  expect((await metrics())['messaging.client.sent.messages']).toEqual({ '': 1 })
})

it('a span has what samplers may decide by when it begins', async () => {
  const asked: object[] = []
  const sampler: Sampler = {
    shouldSample: (_context, _traceId, name, kind, attributes) => {
      asked.push({ name, kind, ...attributes })
      return { decision: SamplingDecision.NOT_RECORD }
    },
    toString: () => 'asked',
  }
  observe({ tracerProvider: new BasicTracerProvider({ sampler }) })
  await using set = await setUp()
  await set.transporter.sendMail(message)
  expect(asked[0]).toEqual({
    name: 'send outbound',
    kind: SpanKind.CLIENT,
    'messaging.system': 'postmark',
    'messaging.operation.name': 'send',
    'messaging.operation.type': 'send',
    'messaging.destination.name': 'outbound',
    'server.address': '127.0.0.1',
  })
})

describe('the metrics', () => {
  it('count emails, retries, connections and problems', async () => {
    const replies = [refuse(451), undefined, undefined, refuse(554)]
    const { metrics } = observe()
    await using set = await setUp({ preflight: 'throw' }, { onData: () => replies.shift() })
    await set.transporter.sendMail(message)
    await set.transporter.sendMail(message)
    await expect(set.transporter.sendMail(message)).rejects.toThrow()
    const attachments = [0, 1].map((n) => ({ filename: `ann@example.com.${n}.exe`, content: 'x' }))
    await expect(set.transporter.sendMail({ ...message, attachments })).rejects.toThrow()
    const { text: _none, ...bare } = message
    await set.transporter.sendMail({ ...bare, postmark: { tag: 'Grüße' } })
    const found = await metrics('postmark.outcome', 'postmark.problem.path', 'postmark.connection.state')
    expect(found).toMatchObject({
      'messaging.client.sent.messages': { sent: 3, rejected: 1 },
      'messaging.client.operation.duration': { sent: 3, rejected: 1, 'not-sent': 1 },
      'postmark.client.retries': { deferred: 1 },
      'postmark.client.connect.duration': { '': 1 },
      'postmark.client.preflight.refusals': { 'attachments[].filename': 2 },
      'postmark.client.preflight.warnings': { 'postmark.tag': 1, text: 1 },
    })
    expect(found['postmark.client.connections']!.idle).toBeGreaterThanOrEqual(1)
    expect(Object.keys(found)).toContain('postmark.client.queue.length')
  })

  it('count emails that may have been sent, and measure in seconds', async () => {
    const { metrics, reader } = observe()
    await using sandbox = await startSandbox()
    await using transporter = createPostmarkTransport(sandbox.url)
    await sandbox.fail({ phase: 'dot', kind: 'cut', accepted: true })
    await expect(transporter.sendMail(message)).rejects.toMatchObject({ outcome: 'unknown' })
    expect(await metrics('postmark.outcome')).toMatchObject({
      'messaging.client.sent.messages': { unknown: 1 },
      'postmark.client.unknown.messages': { unknown: 1 },
    })
    const { resourceMetrics } = await reader.collect()
    const all = resourceMetrics.scopeMetrics.flatMap((scope) => scope.metrics)
    const duration = all.find(({ descriptor }) => descriptor.name === 'messaging.client.operation.duration')!
    expect(duration.descriptor.unit).toBe('s')
    const [{ value }] = duration.dataPoints as unknown as [{ value: Histogram }]
    // Those of the conventions, and three more for emails that are tried for minutes.
    const ofConventions = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10]
    expect(value.buckets.boundaries).toEqual([...ofConventions, 30, 60, 180])
    expect(value.sum).toBeLessThan(60)
  })

  it('measure an email as its span does, from the call of sendMail on', async () => {
    const { reader } = observe()
    let calledAt = 0
    let waitedMs = Number.POSITIVE_INFINITY
    const suppressions = {
      find: async () => {
        await new Promise(setImmediate)
        waitedMs = performance.now() - calledAt
        return []
      },
    }
    await using set = await setUp({ suppressions })
    calledAt = performance.now()
    await set.transporter.sendMail(message)
    const { resourceMetrics } = await reader.collect()
    const all = resourceMetrics.scopeMetrics.flatMap((scope) => scope.metrics)
    const duration = all.find(({ descriptor }) => descriptor.name === 'messaging.client.operation.duration')!
    const [{ value }] = duration.dataPoints as unknown as [{ value: Histogram }]
    expect(value.sum).toBeGreaterThanOrEqual(waitedMs / 1000)
  })

  it('have the emails that wait, and the connections by what they do, at the time when they are read', async () => {
    const { metrics } = observe()
    const read = async () => {
      const all = await metrics('postmark.connection.state')
      const { used = 0, idle = 0 } = all['postmark.client.connections'] ?? {}
      return { queued: all['postmark.client.queue.length']?.[''] ?? 0, used, idle }
    }
    // Other tests of this process may have left transporters.
    const before = await read()
    const added = async () => {
      const { queued, used, idle } = await read()
      return { queued: queued - before.queued, used: used - before.used, idle: idle - before.idle }
    }
    await using set = await setUp({ pool: { maxConnections: 1 } })
    const text = new Readable({ read() {} })
    const held = set.transporter.sendMail({ ...message, text })
    await expect.poll(added).toEqual({ queued: 0, used: 1, idle: 0 })
    const waiting = Array.from({ length: 4 }, () => set.transporter.sendMail(message))
    // One of them is composed ahead, on the connection.
    await expect.poll(added).toEqual({ queued: 3, used: 1, idle: 0 })
    text.push(null)
    await Promise.all([held, ...waiting])
    await expect.poll(added).toEqual({ queued: 0, used: 0, idle: 1 })
  })

  it('count webhook events by kind and outcome, and measure their handlers', async () => {
    const { metrics } = observe()
    const receive = createWebhookHandler({
      auth: { basic: { username: 'postmark', password: 'webhook-5e7a9c1b' } },
      onError: () => {},
      on: { bounced: () => Promise.reject(new Error('b@example.com')) },
    })
    const headers = { authorization: `Basic ${btoa('postmark:webhook-5e7a9c1b')}` }
    for (const RecordType of ['Delivery', 'Delivery', 'Bounce']) {
      const event = { RecordType, ID: 1, Type: 'HardBounce', MessageStream: 'outbound' }
      const body = JSON.stringify({ ...event, Email: 'b@example.com', Recipient: 'b@example.com' })
      await receive(new Request('http://localhost/', { method: 'POST', headers, body }))
    }
    const events = await metrics('postmark.webhook.kind', 'postmark.webhook.outcome')
    expect(events['postmark.webhook.events']).toEqual({
      'delivered handled': 1,
      'delivered duplicate': 1,
      'bounced failed': 1,
    })
    const by = ['messaging.system', 'messaging.operation.name', 'messaging.destination.name', 'error.type']
    const process = (await metrics(...by))['messaging.process.duration']
    expect(process).toEqual({ 'postmark process outbound': 2, 'postmark process outbound _OTHER': 1 })
  })

  it.each<[outcome: string, code: string | undefined, error: string | undefined]>([
    ['sent', undefined, undefined],
    ['wait', 'ERR_POSTMARK_ONCE_HELD', undefined],
    ['give-back', 'ERR_POSTMARK_CLOSED', undefined],
    ['retry', 'ETIMEDOUT', 'ETIMEDOUT'],
    ['fail', undefined, '_OTHER'],
  ])('and spans have the error of a job that ends with %s (%s): %s', async (outcome, code, error) => {
    const { metrics, spans } = observe()
    const job: JobEvent = { queue: 'receipts', jobId: '7', attempt: 1, trace: {} }
    await traceJob(
      job,
      async () => {},
      (event) => void Object.assign(event, { outcome, code }),
    )
    const [span] = spans()
    expect(span!.attributes['error.type']).toBe(error)
    expect(span!.status.code).toBe(error === undefined ? SpanStatusCode.UNSET : SpanStatusCode.ERROR)
    const by = ['messaging.system', 'messaging.operation.type', 'messaging.destination.name', 'error.type']
    const key = ['bullmq', 'process', 'receipts', ...(error === undefined ? [] : [error])].join(' ')
    expect((await metrics(...by))['messaging.process.duration']).toEqual({ [key]: 1 })
  })

  it('lose no email that was sent since they were read last, where the observation stops', async () => {
    const { metrics, observation } = observe()
    await using set = await setUp()
    await set.transporter.sendMail(message)
    observation.stop()
    expect((await metrics())['messaging.client.sent.messages']).toEqual({ '': 1 })
    await set.transporter.sendMail(message)
    expect((await metrics())['messaging.client.sent.messages']).toEqual({ '': 1 })
  })
})

describe('stop', () => {
  it('ends what is under way, removes every subscriber, and may be called twice', async () => {
    const { spans, metrics, observation } = observe()
    await using set = await setUp()
    const sending = set.transporter.sendMail(message)
    observation.stop()
    observation.stop()
    await sending
    await set.transporter.sendMail(message)
    expect(spans().map(({ name }) => name)).toEqual(['send outbound'])
    expect(await metrics()).toEqual({})
    expect(CHANNELS.filter((name) => channel(name).hasSubscribers)).toEqual([])
  })

  it('ends one of two that report to the same provider, which record each email once', async () => {
    const first = observe()
    const second = observePostmark({ ...first.providers, traceparent: true })
    observations.push(second)
    await using set = await setUp()
    const recorded = async () => {
      await set.transporter.sendMail(message)
      const mails = first.spans().filter(({ name }) => name === 'send outbound')
      const counted = (await first.metrics())['messaging.client.sent.messages']
      return [mails.length, counted?.[''], set.server.mails.at(-1)!.header('X-PM-Metadata-traceparent')]
    }
    expect(await recorded()).toEqual([1, 1, undefined])
    first.observation.stop()
    first.observation.stop()
    expect(await recorded()).toEqual([2, 2, undefined])
    second.stop()
    expect(await recorded()).toEqual([2, 2, undefined])
    // A new one begins anew.
    observations.push(observePostmark({ ...first.providers, traceparent: true }))
    expect(await recorded()).toEqual([3, 3, expect.stringMatching(/^00-/)])
  })

  it('ends one of two observations, which both record everything', async () => {
    const first = observe({ traceparent: true })
    const second = observe({ traceparent: true })
    await using set = await setUp()
    await set.transporter.sendMail(message)
    first.observation.stop()
    await set.transporter.sendMail(message)
    const mails = (of: typeof first) => of.spans().filter(({ name }) => name === 'send outbound')
    expect([mails(first).length, mails(second).length]).toEqual([1, 2])
    const ids = set.server.mails.map((mail) => mail.header('X-PM-Metadata-traceparent')?.slice(36, 52))
    // An email carries one trace context: that of the observation that began first.
    expect(ids).toEqual([mails(first)[0], mails(second)[1]].map((span) => span!.spanContext().spanId))
  })
})

it('an observation that begins while an email is under way has its span from then on', async () => {
  const late = () => observe()
  let observed: ReturnType<typeof observe> | undefined
  const suppressions = {
    find: async () => {
      observed = late()
      return []
    },
  }
  await using set = await setUp({ suppressions })
  await set.transporter.sendMail(message)
  expect(observed!.spans().map(({ name }) => name)).toContain('send outbound')
})

it('works without an SDK, and adds nothing to the email then', async () => {
  observations.push(observePostmark({ traceparent: true }))
  await using set = await setUp()
  await set.transporter.sendMail(message)
  expect(set.server.mails[0]!.headers.filter(({ name }) => /metadata/i.test(name))).toEqual([])
})

it.each([
  [{ tracer: {} }, 'tracer'],
  [{ tracerProvider: {} }, 'tracerProvider'],
  [{ meterProvider: null }, 'meterProvider'],
  [{ traceparent: 'yes' }, 'traceparent'],
  [{ traceparent: { key: 'a b' } }, 'traceparent'],
])('refuses the options %j', (options, name) => {
  expect(() => observePostmark(options as object)).toThrow(name)
})
