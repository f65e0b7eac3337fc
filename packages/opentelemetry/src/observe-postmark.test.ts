import { context, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import { DataPointType, type Histogram, MeterProvider, MetricReader } from '@opentelemetry/sdk-metrics'
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  type ReadableSpan,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base'
import { createPostmarkTransport, type PostmarkTransportOptions } from '@postmark-smtp/core'
import { startSandbox } from '@postmark-smtp/sandbox'
import { type SmtpServerOptions, startSmtpServer } from '@postmark-smtp/testing'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { type ObserveOptions, observePostmark, type PostmarkObservation } from './index.js'

const TOKEN = '6f1c2b1e-8a34-4d3a-9a60-2f7f6c1f0a11'
const message = { from: 'a@example.com', to: 'b@example.com', subject: 'Hello', text: 'Hello' }

class Reader extends MetricReader {
  protected override async onShutdown(): Promise<void> {}
  protected override async onForceFlush(): Promise<void> {}
}

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
  return { tracer: tracerProvider.getTracer('test'), spans, metrics, reader, observation }
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

describe('the span of a mail', () => {
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

  it('is a producer whose trace context the mail carries, where that is asked for', async () => {
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

describe('the metrics', () => {
  it('count mails, retries, connections and problems', async () => {
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

  it('count mails that may have been sent, and measure in seconds', async () => {
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
    expect(value.buckets.boundaries.slice(0, 3)).toEqual([0.005, 0.01, 0.025])
    expect(value.sum).toBeLessThan(60)
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
    // A mail carries one trace context: that of the observation that began first.
    expect(ids).toEqual([mails(first)[0], mails(second)[1]].map((span) => span!.spanContext().spanId))
  })
})

it('an observation that begins while a mail is under way has its span from then on', async () => {
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

it('works without an SDK, and adds nothing to the mail then', async () => {
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
