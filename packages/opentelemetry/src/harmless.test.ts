import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { MeterProvider, MetricReader } from '@opentelemetry/sdk-metrics'
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base'
import { createPostmarkTransport, type PostmarkTransportOptions, type SendEvent } from '@postmark-smtp/core'
import { type SmtpServerOptions, startSmtpServer } from '@postmark-smtp/testing'
import { createWebhookHandler } from '@postmark-smtp/webhooks'
import { expect, it } from 'vitest'
import { observePostmark } from './index.js'

const TOKEN = '6f1c2b1e-8a34-4d3a-9a60-2f7f6c1f0a11'
const ADDRESS = 'ann.secret@customer.example'
const SUBJECT = 'Your diagnosis'
const LOGIN = { username: 'postmark', password: 'webhook-5e7a9c1b' }
const message = { from: 'Ann <shop@own.example>', to: ADDRESS, subject: SUBJECT, text: 'It is benign' }
const SECRETS = [TOKEN, ADDRESS, 'customer.example', SUBJECT, 'own.example', 'benign', LOGIN.password]
/** Any of them would be a leak, also in base64, where what comes before a text shifts it by up to two bytes. */
const LEAKS = SECRETS.flatMap((text) => [
  text.toLowerCase(),
  ...[0, 1, 2].map((shift) => {
    const encoded = Buffer.from(' '.repeat(shift) + text).toString('base64')
    // Without the characters at both ends that hold bits of what surrounds it.
    return encoded.slice(shift === 0 ? 0 : shift + 1, Math.floor(((shift + text.length) * 8) / 6))
  }),
])

/** Those that a text holds. */
const leaksIn = (text: string) =>
  LEAKS.filter((leak) => text.includes(leak) || text.toLowerCase().includes(leak))

const quoting = (code: number) =>
  Object.assign(new Error(`<${ADDRESS}> ${SUBJECT}: no such user ${TOKEN}`), { responseCode: code })

class Reader extends MetricReader {
  protected override async onShutdown(): Promise<void> {}
  protected override async onForceFlush(): Promise<void> {}
}

/** Sends an email on a server that says what it must not, and expects it to fail unless it is said to go out. */
async function send(more: object, options: object = {}, server: SmtpServerOptions = {}): Promise<void> {
  const smtp = await startSmtpServer({ auth: [{ user: TOKEN, pass: TOKEN }], ...server })
  const { host, port, ca } = smtp
  const base = { serverToken: TOKEN, host, ports: [port], tls: { ca }, retry: { attempts: 2, baseMs: 1 } }
  const all = { ...base, onWarning: () => {}, ...options } as PostmarkTransportOptions
  const transporter = createPostmarkTransport(all)
  await transporter.sendMail({ ...message, ...more } as never).catch(() => {})
  await transporter.close({ deadlineMs: 1 })
  await smtp.close()
}

const plugin = (fields: object) => ({
  find: () => Promise.reject(Object.assign(new Error(`${ADDRESS} ${TOKEN}`), fields)),
})

it('nothing that is exported or logged holds an address, a subject or a secret, whatever goes wrong', async () => {
  const exporter = new InMemorySpanExporter()
  const tracerProvider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] })
  const reader = new Reader()
  const meterProvider = new MeterProvider({ readers: [reader] })
  const observation = observePostmark({ tracerProvider, meterProvider, traceparent: true })
  const events: SendEvent[] = []
  const log = (event: unknown) => void events.push(event as SendEvent)
  subscribe('tracing:postmark-smtp:send:asyncEnd', log)

  const wrongLogin = { auth: [{ user: 'other', pass: 'other' }] }
  await send({})
  await send({}, {}, { onData: () => quoting(554) })
  await send({}, {}, { onData: () => quoting(451) })
  await send({}, {}, { onRcpt: () => quoting(550) })
  await send({}, {}, { onRcpt: () => quoting(421) })
  await send({}, {}, wrongLogin)
  await send({ subject: SUBJECT.repeat(300) })
  await send({ to: Array.from({ length: 60 }, (_, n) => `${n}${ADDRESS}`) })
  await send({ attachments: [{ filename: `${ADDRESS}.exe`, content: 'x' }] })
  await send({ attachments: [{ path: `/nowhere/${ADDRESS}` }] })
  await send({ postmark: { messageStream: ADDRESS } })
  await send({ postmark: { [ADDRESS]: 'x', trackLinks: ADDRESS, metadata: { [ADDRESS]: 'x'.repeat(99) } } })
  await send({ headers: { [`X-PM-Metadata-${TOKEN}`]: ADDRESS } })
  await send({ postmark: { [TOKEN]: 'x' } }, { preflight: 'warn' })
  await send({}, { suppressions: plugin({ code: ADDRESS, problems: [TOKEN] }) })
  await send({ envelope: { from: 'a@own.example', to: `${ADDRESS}\r\nRCPT TO:<x>` } })
  await send({}, { getSocket: (_o: object, done: (error: Error) => void) => done(quoting(500)) })
  await send({ signal: AbortSignal.abort(new Error(`${ADDRESS} ${TOKEN}`)) })

  const receive = createWebhookHandler({
    auth: { basic: LOGIN },
    onError: () => {},
    on: { bounced: () => Promise.reject(new Error(ADDRESS)) },
  })
  const headers = { authorization: `Basic ${btoa(`${LOGIN.username}:${LOGIN.password}`)}` }
  const bounce = { RecordType: 'Bounce', Type: 'HardBounce', Email: ADDRESS, Subject: SUBJECT, ID: 1 }
  for (const body of [bounce, { ...bounce, Type: ADDRESS, MessageStream: 'outbound', Details: ADDRESS }]) {
    const request = { method: 'POST', headers, body: JSON.stringify(body) }
    await receive(new Request('http://localhost/', request)).catch(() => {})
  }

  const { resourceMetrics } = await reader.collect()
  observation.stop()
  unsubscribe('tracing:postmark-smtp:send:asyncEnd', log)
  const spans = exporter.getFinishedSpans().map(({ name, kind, attributes, events: its, links, status }) => ({
    name,
    kind,
    attributes,
    its,
    links,
    status,
  }))
  // The run was as nasty as it was meant to be.
  expect(new Set(events.map(({ code }) => code))).toEqual(
    new Set([
      undefined,
      'EMESSAGE',
      'EENVELOPE',
      'EAUTH',
      'ERR_POSTMARK_PREFLIGHT',
      'ENOENT',
      'EABORT',
      'ECONNECTION',
    ]),
  )
  expect(spans.length).toBeGreaterThan(20)
  const metrics = resourceMetrics.scopeMetrics.flatMap((scope) =>
    scope.metrics.map(({ descriptor, dataPoints }) => [
      descriptor.name,
      dataPoints.map(({ attributes }) => attributes),
    ]),
  )
  expect(metrics.length).toBeGreaterThan(7)
  const lines = events.map((event) => ({ ...event, error: String((event as { error?: unknown }).error) }))
  for (const told of [...spans, ...metrics, ...lines]) expect(leaksIn(JSON.stringify(told))).toEqual([])
})

it.each(['', 'a', 'ab', 'abc'])('a secret is found in base64 after %j too', (before) => {
  for (const text of SECRETS) {
    expect(leaksIn(Buffer.from(`${before}${text}\0`).toString('base64'))).not.toEqual([])
    expect(leaksIn(`${before}${text.toUpperCase()}`)).not.toEqual([])
  }
})
