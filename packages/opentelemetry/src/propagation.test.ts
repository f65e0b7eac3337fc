import 'reflect-metadata'
import { once } from 'node:events'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Controller, Inject, Module, Param, Post } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import { context, SpanKind, trace } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  type ReadableSpan,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base'
import { createMailQueue, createMailWorker } from '@postmark-smtp/bullmq'
import { createMemorySendOnce, createPostmarkTransport, sendBatch } from '@postmark-smtp/core'
import { postmarkContext, postmarkWebhooks } from '@postmark-smtp/express'
import { PostmarkMailer, PostmarkSmtpModule } from '@postmark-smtp/nestjs'
import { type Sandbox, startSandbox } from '@postmark-smtp/sandbox'
import { redisMissing, startRedis } from '@postmark-smtp/testing'
import express from 'express'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { observePostmark, type PostmarkObservation } from './index.js'

const missing = redisMissing()
const skipped = missing !== undefined && process.env.REQUIRE_REAL_PARTS !== '1'
if (skipped) console.warn(`Skipped: ${missing}`)

const mail = { from: 'shop@example.com', to: 'ann@example.com', subject: 'Hello', text: 'Thank you' }
const login = { username: 'postmark', password: 'webhook-5e7a9c1b' }

beforeAll(() => {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
})
afterAll(() => context.disable())

const exporter = new InMemorySpanExporter()
const tracerProvider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] })
const tracer = tracerProvider.getTracer('application')
let observation: PostmarkObservation
let sandbox: Sandbox
beforeEach(async () => {
  exporter.reset()
  observation = observePostmark({ tracerProvider, traceparent: true })
  sandbox = await startSandbox()
})
afterEach(async () => {
  observation.stop()
  await sandbox.close()
})

/** What the instrumentation of an HTTP server does: a span for each request, active in what handles it. */
function traceRequest(
  req: { readonly url?: string | undefined },
  res: NodeJS.EventEmitter,
  next: () => void,
): void {
  const span = tracer.startSpan(`POST ${req.url}`, { kind: SpanKind.SERVER })
  res.once('close', () => span.end())
  context.with(trace.setSpan(context.active(), span), next)
}

const spans = (): readonly ReadableSpan[] => exporter.getFinishedSpans()
const named = (name: string) => spans().filter((span) => span.name === name)
const idOf = (span: ReadableSpan | undefined) => span?.spanContext().spanId
const byId = () => new Map(spans().map((span) => [idOf(span), span]))

async function post(server: Server, path: string): Promise<void> {
  const { port } = server.address() as AddressInfo
  const response = await fetch(`http://127.0.0.1:${port}${path}`, { method: 'POST' })
  if (!response.ok) throw new Error(`${path}: ${response.status}`)
  await response.text()
}

describe.skipIf(skipped)('two hundred requests at once, half of them by way of the queue', () => {
  it('swap no span: mails are below their request or their job, jobs and webhook events are linked', async () => {
    await using redis = await startRedis()
    const connection = { path: redis.path, maxRetriesPerRequest: null }
    const sendOnce = createMemorySendOnce()
    const mails = createMailQueue({ connection })
    const transporter = createPostmarkTransport(sandbox.url)
    const worker = createMailWorker({
      connection,
      transporter: createPostmarkTransport({ url: sandbox.url, sendOnce }),
      sendOnce,
    })
    const app = express()
    app.use(traceRequest)
    app.use(postmarkContext((req) => ({ tag: req.url.slice(1) })))
    app.post(
      '/webhooks',
      postmarkWebhooks({
        auth: { basic: login },
        on: {
          async delivered({ tag }) {
            await new Promise(setImmediate)
            tracer.startSpan(`handler of ${tag}`).end()
          },
        },
      }),
    )
    app.post('/direct/:n', async (_req, res) => {
      await transporter.sendMail(mail)
      res.end()
    })
    app.post('/queue/:n', async (_req, res) => {
      await mails.add(mail)
      res.end()
    })
    const server = app.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/webhooks`
    sandbox.addWebhook({ url, stream: 'outbound', basicAuth: login, triggers: { Delivery: true } })

    const paths = Array.from({ length: 200 }, (_, n) => (n % 2 === 0 ? `direct/${n}` : `queue/${n}`))
    await Promise.all(paths.map((path) => post(server, `/${path}`)))
    await expect.poll(() => named('send outbound').length, { timeout: 60_000 }).toBe(200)
    await sandbox.advance(0)
    await expect.poll(() => named('process delivered').length, { timeout: 60_000 }).toBe(200)
    await worker.close()
    await mails.close()
    await transporter.close()
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))

    const all = byId()
    const tagged = (name: string) =>
      new Map(named(name).map((span) => [span.attributes['postmark.tag'], span]))
    const sent = tagged('send outbound')
    const handled = tagged('process delivered')
    const swapped = paths.filter((path) => {
      const [request] = named(`POST /${path}`)
      const span = sent.get(path)!
      const parent = all.get(span.parentSpanContext?.spanId)
      const event = handled.get(path)!
      const isBelow = path.startsWith('direct')
        ? parent === request && span.spanContext().traceId === request!.spanContext().traceId
        : parent?.name === 'process postmark-mail' &&
          parent.parentSpanContext === undefined &&
          parent.links[0]?.context.spanId === idOf(request)
      const [handler] = named(`handler of ${path}`)
      const isLinked = event.links.length === 1 && event.links[0]!.context.spanId === idOf(span)
      const isInside = handler?.parentSpanContext?.spanId === idOf(event)
      const isOfPost = all.get(event.parentSpanContext?.spanId)?.name === 'POST /webhooks'
      return !isBelow || !isLinked || !isInside || !isOfPost
    })
    expect(swapped).toEqual([])
    // On the wire, too: each mail carries the context of its own span.
    const carried = sandbox.outbox.filter(({ postmark }) => {
      const { traceId, spanId } = sent.get(postmark.tag ?? undefined)!.spanContext()
      return postmark.metadata?.traceparent !== `00-${traceId}-${spanId}-01`
    })
    expect(carried).toEqual([])
    const told = spans().map(({ name, attributes, events, status }) => ({ name, attributes, events, status }))
    expect(JSON.stringify(told)).not.toMatch(/@example|Hello|Thank you|webhook-5e7a/)
  })
})

@Controller()
class Orders {
  constructor(@Inject(PostmarkMailer) private readonly mailer: PostmarkMailer) {}
  @Post('orders/:id')
  async order(@Param('id') id: string) {
    await this.mailer.send({ ...mail, postmark: { tag: id } })
  }
}

it('mails of a Nest application are below their requests', async () => {
  @Module({ imports: [PostmarkSmtpModule.forRoot({ url: sandbox.url })], controllers: [Orders] })
  class Shop {}
  const app = await NestFactory.create(Shop, { logger: false })
  app.use(traceRequest)
  await app.listen(0, '127.0.0.1')
  const server: Server = app.getHttpServer()
  const ids = Array.from({ length: 50 }, (_, n) => String(n))
  await Promise.all(ids.map((id) => post(server, `/orders/${id}`)))
  await app.close()
  const all = byId()
  const parents = named('send outbound').map((span) => [
    `POST /orders/${span.attributes['postmark.tag']}`,
    all.get(span.parentSpanContext?.spanId)?.name,
  ])
  expect(parents).toHaveLength(50)
  expect(parents.filter(([expected, found]) => expected !== found)).toEqual([])
})

it('mails of sendBatch are below the span in which it was called, of two batches at once as well', async () => {
  await using transporter = createPostmarkTransport(sandbox.url)
  const send = async (name: string) => {
    const span = tracer.startSpan(name)
    const recipients = Array.from({ length: 100 }, (_, n) => ({
      to: `reader-${n}@example.com`,
      postmark: { tag: name },
    }))
    const batch = context.with(trace.setSpan(context.active(), span), () =>
      sendBatch(transporter, recipients, { message: mail, allowTransactional: true }),
    )
    // The results are read outside of the span.
    for await (const { outcome } of batch) expect(outcome).toBe('sent')
    span.end()
  }
  await Promise.all([send('first'), send('second')])
  const all = byId()
  const mails = named('send outbound')
  expect(mails).toHaveLength(200)
  const parents = mails.map((span) => [
    span.attributes['postmark.tag'],
    all.get(span.parentSpanContext?.spanId)?.name,
  ])
  expect(parents.filter(([tag, name]) => tag !== name)).toEqual([])
  const contexts = new Set(
    sandbox.outbox.map(({ postmark }) => postmark.metadata?.traceparent?.slice(36, 52)),
  )
  expect(contexts).toEqual(new Set(mails.map(idOf)))
})
