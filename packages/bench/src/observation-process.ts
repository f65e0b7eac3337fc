import { type Context, context, SpanKind, type Tracer, trace } from '@opentelemetry/api'
import {
  MeterProvider,
  PeriodicExportingMetricReader,
  type PushMetricExporter,
} from '@opentelemetry/sdk-metrics'
import { BatchSpanProcessor, type SpanExporter } from '@opentelemetry/sdk-trace-base'
import { NodeTracerProvider } from '@opentelemetry/sdk-trace-node'
import { multipart, oneLine } from './messages.js'
import type { ObservedKind, RoundOrder, RoundResult } from './observation-kinds.js'
import { ours, type Sender } from './senders.js'

/**
 * An application whose requests have spans anyway, in its own process (`node dist/observation-process.js KIND MESSAGE`):
 * an observation starts once in the life of a process, and the code that runs under it is compiled for that.
 */
const CONCURRENCY = 50
const kind = process.argv[2] as ObservedKind
const message = process.argv[3] === 'oneLine' ? oneLine : multipart

// Discards spans and metrics: what an exporter does with them is not measured.
const spanExporter: SpanExporter = { export: (_spans, done) => done({ code: 0 }), shutdown: async () => {} }
const metricExporter: PushMetricExporter = {
  export: (_metrics, done) => done({ code: 0 }),
  forceFlush: async () => {},
  shutdown: async () => {},
}
const tracerProvider = new NodeTracerProvider({ spanProcessors: [new BatchSpanProcessor(spanExporter)] })
tracerProvider.register()
const reader = new PeriodicExportingMetricReader({ exporter: metricExporter, exportIntervalMillis: 10_000 })
const meterProvider = new MeterProvider({ readers: [reader] })
const tracer = tracerProvider.getTracer('application')

if (kind !== 'nothing' && kind !== 'byHand') {
  const { observePostmark } = await import('@postmark-smtp/opentelemetry')
  const observation = observePostmark({ tracerProvider, meterProvider, traceparent: kind === 'traceparent' })
  if (kind === 'stopped') observation.stop()
}

let sender: Sender | undefined
process.on('message', async ({ port, cert, count }: RoundOrder) => {
  sender ??= ours({ port, cert })
  const send = kind === 'byHand' ? observeByHand(sender, tracer) : (mail: object) => sender!.sendMail(mail)
  let left = count
  const work = async () => {
    while (left-- > 0) await inRequest(() => send(message))
  }
  const before = process.cpuUsage()
  const start = performance.now()
  await Promise.all(Array.from({ length: CONCURRENCY }, work))
  const seconds = (performance.now() - start) / 1000
  const { user, system } = process.cpuUsage(before)
  process.send?.({ cpuMicros: (user + system) / count, perSecond: count / seconds } satisfies RoundResult)
})
process.on('disconnect', () => process.exit())
process.send?.('ready')

/** What the instrumentation of an HTTP server does. */
async function inRequest(work: () => Promise<unknown>): Promise<void> {
  const span = tracer.startSpan('request', { kind: SpanKind.SERVER })
  const inside: Context = trace.setSpan(context.active(), span)
  await context.with(inside, work)
  span.end()
}

/** The minimum to write instead of observePostmark: the same span, histogram and counter, for emails that are sent. */
function observeByHand({ sendMail }: Sender, tracer: Tracer): Sender['sendMail'] {
  const meter = meterProvider.getMeter('by hand')
  const duration = meter.createHistogram('messaging.client.operation.duration', { unit: 's' })
  const sent = meter.createCounter('messaging.client.sent.messages', { unit: '{message}' })
  const attributes = {
    'messaging.system': 'postmark',
    'messaging.operation.name': 'send',
    'messaging.operation.type': 'send',
    'messaging.destination.name': 'outbound',
    'server.address': '127.0.0.1',
  }
  const measured = { ...attributes, 'server.port': 587, 'postmark.outcome': 'sent' }
  return async (mail) => {
    const span = tracer.startSpan('send outbound', { kind: SpanKind.CLIENT, attributes })
    const start = performance.now()
    await sendMail(mail)
    span.setAttribute('server.port', 587)
    span.setAttribute('postmark.outcome', 'sent')
    span.setAttribute('postmark.attempts', 1)
    span.setAttribute('postmark.recipient.count', 1)
    span.end()
    duration.record((performance.now() - start) / 1000, measured)
    sent.add(1, measured)
  }
}
