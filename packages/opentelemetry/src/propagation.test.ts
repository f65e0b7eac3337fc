import 'reflect-metadata'
import { once } from 'node:events'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type HttpBindings, serve } from '@hono/node-server'
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
import { postmarkContext as fastifyContext } from '@postmark-smtp/fastify'
import { postmarkContext as honoContext } from '@postmark-smtp/hono'
import { PostmarkMailer, PostmarkSmtpModule } from '@postmark-smtp/nestjs'
import { type Sandbox, startSandbox } from '@postmark-smtp/sandbox'
import { redisMissing, startRedis } from '@postmark-smtp/testing'
import express from 'express'
import { fastify } from 'fastify'
import { Hono } from 'hono'
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
function traceRequest<R>(
  req: { readonly url?: string | undefined },
  res: NodeJS.EventEmitter,
  next: () => R,
): R {
  const span = tracer.startSpan(`POST ${req.url}`, { kind: SpanKind.SERVER })
  res.once('close', () => span.end())
  return context.with(trace.setSpan(context.active(), span), next)
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

/** Answers a request that a framework runs in a span: sends the email. */
type Answer = () => Promise<unknown>

/** An application of each framework whose POST /KIND/:n sends an email with the tag KIND/n, by what is given. */
async function startApps(given: {
  readonly send: Answer
  readonly enqueue: Answer
  batch(tag: string): Promise<unknown>
}) {
  const shop = express()
  shop.use(traceRequest)
  shop.use(postmarkContext((req) => ({ tag: req.url.slice(1) })))
  shop.post(
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
  shop.post('/express/:n', async (_req, res) => void res.end(`${await given.send()}`))
  shop.post('/queue/:n', async (_req, res) => void res.end(`${await given.enqueue()}`))
  shop.post('/batch/:n', async (req, res) => void res.end(`${await given.batch(req.url.slice(1))}`))
  const expressServer = shop.listen(0, '127.0.0.1')
  await once(expressServer, 'listening')

  const fast = fastify()
  fast.addHook('onRequest', (request, reply, done) => traceRequest(request.raw, reply.raw, done))
  fast.register(fastifyContext, { fields: (request) => ({ tag: request.url.slice(1) }) })
  fast.post('/fastify/:n', async () => `${await given.send()}`)
  await fast.listen({ port: 0, host: '127.0.0.1' })

  const hono = new Hono<{ Bindings: HttpBindings }>()
  hono.use((c, next) => traceRequest(c.env.incoming, c.env.outgoing, next))
  hono.use(honoContext((c) => ({ tag: c.req.path.slice(1) })))
  hono.post('/hono/:n', async (c) => c.text(`${await given.send()}`))
  const honoServer = serve({ fetch: hono.fetch, port: 0, hostname: '127.0.0.1' }) as Server
  if (!honoServer.listening) await once(honoServer, 'listening')

  @Controller()
  class Orders {
    constructor(@Inject(PostmarkMailer) private readonly mailer: PostmarkMailer) {}
    @Post('nest/:n')
    async order(@Param('n') n: string) {
      await this.mailer.send({ ...mail, postmark: { tag: `nest/${n}` } })
    }
  }
  @Module({ imports: [PostmarkSmtpModule.forRoot({ url: sandbox.url })], controllers: [Orders] })
  class Shop {}
  const nest = await NestFactory.create(Shop, { logger: false })
  nest.use(traceRequest)
  await nest.listen(0, '127.0.0.1')

  const servers: Readonly<Record<string, Server>> = {
    express: expressServer,
    queue: expressServer,
    batch: expressServer,
    fastify: fast.server,
    hono: honoServer,
    nest: nest.getHttpServer(),
  }
  const close = async () => {
    await nest.close()
    await fast.close()
    for (const server of [expressServer, honoServer]) {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    }
  }
  return { servers, close }
}

describe.skipIf(skipped)('two hundred requests at once, to Express, Fastify, Hono and Nest', () => {
  it('swap no span of their emails, of jobs of the queue, of batches, nor of webhook events', async () => {
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
    const apps = await startApps({
      send: () => transporter.sendMail(mail),
      enqueue: () => mails.add(mail),
      batch: async (tag) => {
        const messages = [0, 1].map((n) => ({
          to: `reader-${n}@example.com`,
          postmark: { tag: `${tag}-${n}` },
        }))
        const batch = sendBatch(transporter, messages, { message: mail, allowTransactional: true })
        for await (const { outcome } of batch) expect(outcome).toBe('sent')
      },
    })
    const url = `http://127.0.0.1:${(apps.servers.express!.address() as AddressInfo).port}/webhooks`
    sandbox.addWebhook({ url, stream: 'outbound', basicAuth: login, triggers: { Delivery: true } })

    const kinds = Object.keys(apps.servers)
    const paths = Array.from({ length: 200 }, (_, n) => `${kinds[n % kinds.length]}/${n}`)
    /** Each email by its tag, and the request that it is of. */
    const expected = paths.flatMap((path) =>
      path.startsWith('batch') ? [0, 1].map((n) => ({ tag: `${path}-${n}`, path })) : [{ tag: path, path }],
    )
    await Promise.all(paths.map((path) => post(apps.servers[path.split('/')[0]!]!, `/${path}`)))
    await expect.poll(() => named('send outbound').length, { timeout: 60_000 }).toBe(expected.length)
    await sandbox.advance(0)
    await expect.poll(() => named('process delivered').length, { timeout: 60_000 }).toBe(expected.length)
    await worker.close()
    await mails.close()
    await transporter.close()
    await apps.close()

    const all = byId()
    const tagged = (name: string) =>
      new Map(named(name).map((span) => [span.attributes['postmark.tag'], span]))
    const sent = tagged('send outbound')
    const handled = tagged('process delivered')
    expect([sent.size, handled.size]).toEqual([expected.length, expected.length])
    const swapped = expected.filter(({ tag, path }) => {
      const [request] = named(`POST /${path}`)
      const span = sent.get(tag)!
      const parent = all.get(span.parentSpanContext?.spanId)
      const event = handled.get(tag)!
      const isBelow = path.startsWith('queue')
        ? parent?.name === 'process postmark-mail' &&
          parent.parentSpanContext === undefined &&
          parent.links[0]?.context.spanId === idOf(request)
        : parent === request && span.spanContext().traceId === request!.spanContext().traceId
      const [handler] = named(`handler of ${tag}`)
      const isLinked = event.links.length === 1 && event.links[0]!.context.spanId === idOf(span)
      const isInside = handler?.parentSpanContext?.spanId === idOf(event)
      const isOfPost = all.get(event.parentSpanContext?.spanId)?.name === 'POST /webhooks'
      return !isBelow || !isLinked || !isInside || !isOfPost
    })
    expect(swapped).toEqual([])
    // On the wire, too: each email carries the context of its own span.
    const carried = sandbox.outbox.filter(({ postmark }) => {
      const { traceId, spanId } = sent.get(postmark.tag ?? undefined)!.spanContext()
      return postmark.metadata?.traceparent !== `00-${traceId}-${spanId}-01`
    })
    expect(carried).toEqual([])
    const told = spans().map(({ name, attributes, events, status }) => ({ name, attributes, events, status }))
    expect(JSON.stringify(told)).not.toMatch(/@example|Hello|Thank you|webhook-5e7a/)
  })
})

it('emails of sendBatch are below the span in which it was called, of two batches at once as well', async () => {
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
