import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { inspect } from 'node:util'
import { startSandbox } from '@postmark-smtp/sandbox'
import { ServerClient } from 'postmark'
import { describe, expect, it } from 'vitest'
import { createWebhookHandler, hooksReport, toNodeListener } from './index.js'

const TOKEN = '5a1c7e90-0000-4000-8000-2b4d6f8a0c1e'
const SECRET = 'webhook-report-3f5b7d'
const on = { Enabled: true }
const off = { Enabled: false }
const webhook = (ID: number, more: object = {}) => ({
  ID,
  Url: `https://hook:${SECRET}@example.com/postmark`,
  MessageStream: 'outbound',
  HttpAuth: { Username: 'hook', Password: SECRET },
  HttpHeaders: [{ Name: 'X-Secret', Value: SECRET }],
  Triggers: { Open: off, Click: off, Delivery: on, Bounce: on, SpamComplaint: off, SubscriptionChange: off },
  Status: 'verified',
  ...more,
})
const metrics = (TotalRequests: number, FailureCount: number, RetryCount: number) => ({
  TotalRequests,
  SuccessCount: TotalRequests - FailureCount,
  FailureCount,
  RetryCount,
  SuccessRate: 100,
  AverageRetryResponseTimeMs: null,
})
const statistics = (Statuses: object, MetricsByTrigger: object) => ({
  WebhookId: 7,
  ServerId: 3,
  MessageStreamId: 'outbound',
  Url: `https://hook:${SECRET}@example.com/postmark`,
  Statuses,
  TimeRange: { StartTime: '2026-06-14T12:00:00Z', EndTime: '2026-06-15T12:00:00Z', Hours: 24 },
  Metrics: metrics(1, 0, 0),
  MetricsByTrigger,
})

/** Postmark's API with these webhooks, and what is answered to a path; the official client of it. */
async function startPostmark(webhooks: readonly object[], answers: Readonly<Record<string, unknown>> = {}) {
  const calls: string[] = []
  const all: Record<string, unknown> = {
    'GET /server': { SmtpApiActivated: true, EnableSmtpApiErrorHooks: true, DeliveryType: 'Live' },
    'GET /webhooks': { Webhooks: webhooks },
    ...answers,
  }
  const server = createServer((request, response) => {
    const call = `${request.method} ${request.url}`
    calls.push(call)
    const known = request.headers['x-postmark-server-token'] === TOKEN && call in all
    response
      .writeHead(known ? 200 : 404, { 'content-type': 'application/json' })
      .end(JSON.stringify(known ? all[call] : { ErrorCode: 701, Message: 'Not there' }))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const requestHost = `127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    calls,
    client: new ServerClient(TOKEN, { requestHost, useHttps: false }),
    [Symbol.asyncDispose]: async () => {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
}

describe('hooksReport reads the statistics of webhooks', () => {
  it('with the official client, and names paused event types and lost posts', async () => {
    await using postmark = await startPostmark([webhook(7), webhook(8, { MessageStream: 'broadcast' })], {
      'GET /webhooks/7/statistics': statistics(
        { Bounce: 'unverified', Delivery: 'verified', Open: 'unverified' },
        { Bounce: metrics(100, 50, 62), Delivery: metrics(900, 3, 4) },
      ),
      'GET /webhooks/8/statistics': statistics({ Bounce: 'verified', Delivery: 'verified' }, {}),
    })
    const report = await hooksReport(postmark.client)
    expect(report.webhooks).toEqual([
      {
        id: 7,
        stream: 'outbound',
        events: ['Delivery', 'Bounce'],
        paused: ['Bounce'],
        statistics: {
          Bounce: { requests: 100, failures: 50, retries: 62 },
          Delivery: { requests: 900, failures: 3, retries: 4 },
        },
        failed: undefined,
      },
      {
        id: 8,
        stream: 'broadcast',
        events: ['Delivery', 'Bounce'],
        paused: [],
        statistics: {},
        failed: undefined,
      },
    ])
    expect(report.advice).toEqual([
      expect.stringMatching(
        /^Postmark has paused Bounce for webhook 7 of the stream outbound.* verify: true.* reconcile/,
      ),
      expect.stringMatching(
        /^In the last 24 hours, 3 of 900 requests for Delivery to webhook 7 .* failed for good/,
      ),
    ])
    expect(inspect(report, { depth: 9 }) + JSON.stringify(report)).not.toMatch(`${SECRET}`)
    expect(postmark.calls.filter((call) => call.startsWith('POST'))).toEqual([])
  })

  it('with a client that has the methods', async () => {
    const asked: unknown[] = []
    const { webhooks } = await hooksReport(
      {
        getServer: async () => ({}),
        getWebhooks: async () => ({ Webhooks: [webhook(7)] }),
        getWebhookStatistics: async (id) => {
          asked.push(id)
          return statistics({ Delivery: 'unverified' }, {})
        },
        verifyWebhook: async (id) => {
          asked.push(`verify ${id}`)
          return { Success: true, Results: [] }
        },
      },
      { verify: true },
    )
    expect(asked).toEqual(['verify 7', 7])
    expect(webhooks).toMatchObject([{ paused: ['Delivery'], failed: [] }])
  })

  it.each<[string, object[], object]>([
    ['that has none', [], { webhooks: [] }],
    [
      'whose statistics are not there: the status of the webhook tells',
      [webhook(7, { Status: 'unverified' })],
      { webhooks: [{ id: 7, paused: ['Delivery', 'Bounce'], statistics: undefined }] },
    ],
    [
      'whose webhooks are of an odd shape',
      [{}, { ID: 'x' }, { ID: 9, Triggers: 7 }],
      { webhooks: [{ id: 9, stream: undefined, events: [], paused: [] }] },
    ],
  ])('of a server %s', async (_what, webhooks, expected) => {
    await using postmark = await startPostmark(webhooks)
    expect(await hooksReport(postmark.client)).toMatchObject(expected)
  })

  it('and says so where the webhooks cannot be listed', async () => {
    const cause = Object.assign(new Error('slow down'), { statusCode: 429 })
    const client = { getServer: async () => ({}), getWebhooks: () => Promise.reject(cause) }
    await expect(hooksReport(client)).rejects.toMatchObject({
      code: 'ERR_POSTMARK_BOUNCES',
      message: 'The webhooks of the server cannot be read: slow down',
      cause,
    })
  })
})

describe('hooksReport with verify', () => {
  it('reads the results of a verification, whose reply is 200 also where it failed', async () => {
    await using postmark = await startPostmark([webhook(7)], {
      'POST /webhooks/7/verify': {
        Id: 7,
        Url: `https://hook:${SECRET}@example.com/postmark`,
        Success: false,
        Results: [
          { TriggerType: 'Delivery', Success: true, StatusCode: 200, Message: 'OK' },
          { TriggerType: 'Bounce', Success: false, StatusCode: 500, Message: `Internal ${SECRET}` },
          { TriggerType: 'Open', Success: false, StatusCode: 0, Message: 'Connection refused' },
        ],
      },
    })
    const report = await hooksReport(postmark.client, { verify: true })
    expect(report.webhooks?.[0]?.failed).toEqual([
      { event: 'Bounce', status: 500 },
      { event: 'Open', status: 0 },
    ])
    expect(report.advice).toEqual([
      'A test request for Bounce to webhook 7 of the stream outbound was answered with 500: the answer must be 200.',
      expect.stringMatching(/^A test request for Open got no answer from webhook 7/),
    ])
    expect(inspect(report, { depth: 9 })).not.toContain(SECRET)
  })

  it('has the sandbox post dummy data to a handler, which answers 200', async () => {
    const tests: string[] = []
    const listener = toNodeListener(
      createWebhookHandler({
        auth: { basic: { username: 'postmark', password: SECRET } },
        on: { any: ({ kind, test }) => test && tests.push(kind) },
      }),
    )
    const server = createServer(listener).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const sandbox = await startSandbox()
    try {
      sandbox.addWebhook({
        url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
        basicAuth: { username: 'postmark', password: SECRET },
        triggers: { Bounce: true, Delivery: true },
      })
      const client = new ServerClient(sandbox.token, { requestHost: sandbox.apiHost, useHttps: false })
      expect((await hooksReport(client)).webhooks).toMatchObject([{ failed: undefined }])
      expect(tests).toEqual([])
      expect((await hooksReport(client, { verify: true })).webhooks).toMatchObject([
        { failed: [], paused: [] },
      ])
      expect(tests.toSorted()).toEqual(['bounced', 'delivered'])
    } finally {
      await sandbox.close()
      server.close()
      server.closeAllConnections()
    }
  })

  it('reads the statistics of the sandbox, whose posts were refused for good', async () => {
    const server = createServer((_request, response) => response.writeHead(401).end()).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const sandbox = await startSandbox()
    try {
      const { port } = server.address() as AddressInfo
      sandbox.addWebhook({ url: `http://127.0.0.1:${port}/`, triggers: { SubscriptionChange: true } })
      for (const address of ['ann@example.com', 'bob@example.com']) sandbox.suppress(address)
      await sandbox.advance(0)
      const client = new ServerClient(sandbox.token, { requestHost: sandbox.apiHost, useHttps: false })
      const { webhooks, advice } = await hooksReport(client)
      expect(webhooks?.[0]?.statistics?.SubscriptionChange).toEqual({ requests: 2, failures: 2, retries: 0 })
      expect(advice.join()).toMatch(/2 of 2 requests for SubscriptionChange to webhook 1 .* failed for good/)
    } finally {
      await sandbox.close()
      server.close()
      server.closeAllConnections()
    }
  })

  it('says so where the client cannot verify', async () => {
    const client = { getServer: async () => ({}), getWebhooks: async () => ({ Webhooks: [webhook(7)] }) }
    await expect(hooksReport(client, { verify: true })).rejects.toThrow(
      'the client has no method verifyWebhook',
    )
  })

  it.each([
    [{ verify: 'yes' }, 'Option verify is "yes"; it must be true or false.'],
    [{ verfy: true }, 'Did you mean "verify"?'],
  ])('refuses the options %j', async (options, message) => {
    await expect(hooksReport({ getServer: async () => ({}) }, options as never)).rejects.toThrow(message)
  })
})
