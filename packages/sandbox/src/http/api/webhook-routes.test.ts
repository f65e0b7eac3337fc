import { once } from 'node:events'
import { createServer, STATUS_CODES } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createTransport } from 'nodemailer'
import { ServerClient } from 'postmark'
import { afterEach, describe, expect, it } from 'vitest'
import { type Sandbox, startSandbox } from '../../sandbox.js'

const cleanup: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of cleanup.splice(0).reverse()) await close()
})

/** A server that notes the body of each post and answers it with the status that `statusOf` gives for its kind. */
async function receiver(statusOf: (recordType: string) => number = () => 200) {
  const bodies: Record<string, unknown>[] = []
  const server = createServer(async (request, response) => {
    let text = ''
    for await (const chunk of request) text += chunk
    const body = JSON.parse(text)
    bodies.push(body)
    response.writeHead(statusOf(body.RecordType)).end()
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  cleanup.push(async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  })
  return { bodies, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook` }
}

async function start() {
  const sandbox = await startSandbox()
  cleanup.push(sandbox.close)
  const client = new ServerClient(sandbox.token, { requestHost: sandbox.apiHost, useHttps: false })
  return { sandbox, client }
}

async function send({ host, port, token }: Sandbox) {
  const transport = createTransport({ host, port, ignoreTLS: true, auth: { user: token, pass: token } })
  await transport.sendMail({
    from: 'shop@example.com',
    to: 'ann@example.com',
    subject: 'Welcome',
    text: 'Hello',
  })
}

async function call({ apiUrl, token }: Sandbox, method: string, path: string, body?: object) {
  const headers = { 'X-Postmark-Server-Token': token }
  const response = await fetch(apiUrl + path, {
    method,
    headers,
    ...(body && { body: JSON.stringify(body) }),
  })
  return { status: response.status, body: (await response.json()) as Record<string, unknown> }
}

const off = { Enabled: false }
const HttpAuth = { Username: 'user', Password: 'pass' }
const HttpHeaders = [{ Name: 'X-Secret', Value: 'value' }]

describe('webhooks', () => {
  it('are made, verified, listed, edited and deleted', async () => {
    const { bodies, url } = await receiver()
    const { sandbox, client } = await start()
    const Triggers = { Delivery: { Enabled: true }, Bounce: { Enabled: true, IncludeContent: true } }
    const made = await client.createWebhook({
      Url: url,
      MessageStream: 'outbound',
      HttpAuth,
      HttpHeaders,
      Triggers,
    })
    expect(made).toEqual({
      ID: 1,
      Url: url,
      MessageStream: 'outbound',
      HttpAuth,
      HttpHeaders,
      Triggers: {
        Open: { ...off, PostFirstOpenOnly: false },
        Click: off,
        Delivery: { Enabled: true },
        Bounce: { Enabled: true, IncludeContent: true },
        SpamComplaint: { ...off, IncludeContent: false },
        SubscriptionChange: off,
      },
      Status: 'verified',
    })
    const dummy = { MessageID: '00000000-0000-0000-0000-000000000000', Metadata: { example: 'value' } }
    expect(bodies.map(({ RecordType }) => RecordType).sort()).toEqual(['Bounce', 'Delivery'])
    expect(bodies).toMatchObject([dummy, dummy])

    await send(sandbox)
    await sandbox.advance(0)
    expect(bodies[2]).toMatchObject({ RecordType: 'Delivery', MessageID: sandbox.outbox[0]?.messageId })

    const edited = await client.editWebhook(made.ID, {
      Triggers: { Open: { Enabled: true, PostFirstOpenOnly: true } },
    })
    expect(edited).toEqual({
      ...made,
      Triggers: { ...made.Triggers, Open: { Enabled: true, PostFirstOpenOnly: true } },
    })
    expect(await client.getWebhook(made.ID)).toEqual(edited)
    expect(await client.getWebhooks({ messageStream: 'broadcast' })).toEqual({ Webhooks: [] })
    expect(await client.getWebhooks()).toEqual({ Webhooks: [edited] })
    expect(await client.deleteWebhook(made.ID)).toEqual({ ErrorCode: 0, Message: 'Webhook 1 removed.' })
    expect(await client.getWebhooks()).toEqual({ Webhooks: [] })
    await expect(client.getWebhook(made.ID)).rejects.toMatchObject({ code: 1352, statusCode: 422 })
  })

  it.each([500, 204, 302])('are not saved where a trigger is answered with %i', async (status) => {
    const { url } = await receiver((type) => (type === 'Click' ? status : 200))
    const { sandbox, client } = await start()
    const Triggers = { Delivery: { Enabled: true }, Click: { Enabled: true } }
    const reply = await call(sandbox, 'POST', '/webhooks', { Url: url, Triggers })
    expect(reply).toMatchObject({
      status: 422,
      body: {
        ErrorCode: 1364,
        Success: false,
        Message: '1/2 triggers verified successfully',
        Results: [
          { TriggerType: 'Delivery', Success: true, StatusCode: 200, Message: 'OK' },
          { TriggerType: 'Click', Success: false, StatusCode: status, Message: STATUS_CODES[status] },
        ],
      },
    })
    expect(await client.getWebhooks()).toEqual({ Webhooks: [] })
    await expect(client.createWebhook({ Url: url, Triggers })).rejects.toMatchObject({ code: 1364 })
  })

  it('get nothing while they are not verified', async () => {
    let status = 500
    const { bodies, url } = await receiver(() => status)
    const { sandbox } = await start()
    const Triggers = { Delivery: { Enabled: true } }
    const { body } = await call(sandbox, 'POST', '/webhooks', { Url: url, Triggers, Verify: false })
    expect(body.Status).toBe('unverified')
    await send(sandbox)
    await sandbox.advance(0)
    expect(bodies).toEqual([])
    const verify = () => call(sandbox, 'POST', `/webhooks/${body.ID}/verify`)
    expect(await verify()).toMatchObject({ status: 200, body: { Success: false, Id: body.ID, Url: url } })
    status = 200
    expect(await verify()).toMatchObject({ status: 200, body: { Success: true } })
    await send(sandbox)
    await sandbox.advance(0)
    expect(bodies).toHaveLength(3)
  })

  it('are counted over the last 24 hours, in all and by trigger', async () => {
    const replies = [503, 200]
    const { url } = await receiver((type) => (type === 'Delivery' ? (replies.shift() ?? 200) : 404))
    const { sandbox } = await start()
    const Triggers = { Delivery: { Enabled: true }, Open: { Enabled: true } }
    const { body: made } = await call(sandbox, 'POST', '/webhooks', { Url: url, Triggers, Verify: false })
    const path = `/webhooks/${made.ID}`
    expect((await call(sandbox, 'GET', `${path}/statistics`)).body).toMatchObject({
      Statuses: { Delivery: 'unverified', Open: 'unverified' },
      Metrics: { TotalRequests: 0, SuccessRate: null, AverageTerminalResponseTimeMs: null },
    })
    const { id: other } = sandbox.addWebhook({ url })
    sandbox.webhooks.remove(other)

    const { id } = sandbox.addWebhook({ url, triggers: { Delivery: true, Open: true } })
    await send(sandbox)
    sandbox.open(sandbox.outbox[0]!)
    await sandbox.advance(60_000)
    const one = { TotalRequests: 1, RetryCount: 0, SlowCount: 0, VerySlowCount: 0 }
    const { status, body } = await call(sandbox, 'GET', `/webhooks/${id}/statistics`)
    expect({ status, body }).toEqual({
      status: 200,
      body: {
        WebhookId: id,
        Url: url,
        Statuses: { Delivery: 'verified', Open: 'verified' },
        TimeRange: { StartTime: expect.any(String), EndTime: expect.any(String), Hours: 24 },
        Metrics: expect.objectContaining({
          ...one,
          TotalRequests: 2,
          SuccessCount: 1,
          FailureCount: 1,
          RetryCount: 1,
          SuccessRate: 50,
        }),
        MetricsByTrigger: {
          Delivery: {
            ...one,
            SuccessCount: 1,
            FailureCount: 0,
            RetryCount: 1,
            SuccessRate: 100,
            AverageTerminalResponseTimeMs: expect.any(Number),
            AverageRetryResponseTimeMs: expect.any(Number),
          },
          Open: {
            ...one,
            SuccessCount: 0,
            FailureCount: 1,
            SuccessRate: 0,
            AverageTerminalResponseTimeMs: expect.any(Number),
            AverageRetryResponseTimeMs: null,
          },
        },
      },
    })
    const { StartTime, EndTime } = body.TimeRange as Record<string, string>
    expect(Date.parse(EndTime!) - Date.parse(StartTime!)).toBe(86_400_000)
    await sandbox.advance(86_400_000)
    expect((await call(sandbox, 'GET', `/webhooks/${id}/statistics`)).body).toMatchObject({
      Metrics: { TotalRequests: 0 },
    })
    expect(await call(sandbox, 'GET', '/webhooks/99/statistics')).toMatchObject({
      status: 422,
      body: { ErrorCode: 1352 },
    })
  })

  it('are not listed by a stream that there is not', async () => {
    const { client } = await start()
    await expect(client.getWebhooks({ messageStream: 'nothing' })).rejects.toMatchObject({ code: 1226 })
  })

  it.each([
    [{}, 1355],
    [{ Url: 'ftp://example.com' }, 1354],
    [{ Triggers: {} }, 1354],
    [{ Url: 'http://127.0.0.1/', ID: 7 }, 1356],
    [{ Url: 'http://127.0.0.1/', MessageStream: 'inbound' }, 1351],
    [{ Url: 'http://127.0.0.1/', MessageStream: 'nothing' }, 1226],
    [{ Url: 'http://127.0.0.1/', HttpHeaders: [{ Name: 'a b', Value: 'c' }] }, 1358],
    [{ Url: 'http://127.0.0.1/', HttpHeaders: 'X-A: b' }, 1361],
    [{ Url: 'http://127.0.0.1/', Triggers: { Open: true } }, 1361],
  ])('are refused when they are %j', async (webhook, ErrorCode) => {
    const { sandbox } = await start()
    expect(await call(sandbox, 'POST', '/webhooks', webhook)).toMatchObject({
      status: 422,
      body: { ErrorCode },
    })
  })

  it('keep their stream, and get none on an archived one', async () => {
    const { url } = await receiver()
    const { client } = await start()
    const { ID } = await client.createWebhook({ Url: url })
    await expect(client.editWebhook(ID, { MessageStream: 'broadcast' } as object)).rejects.toMatchObject({
      code: 1357,
    })
    await client.archiveMessageStream('broadcast')
    await expect(client.createWebhook({ Url: url, MessageStream: 'broadcast' })).rejects.toMatchObject({
      code: 1350,
    })
  })

  it('that code made are there as well', async () => {
    const { sandbox, client } = await start()
    const { id } = sandbox.addWebhook({ url: 'http://user:pass@127.0.0.1:1/hook' })
    expect(await client.getWebhook(id)).toMatchObject({ ID: id, Url: 'http://127.0.0.1:1/hook', HttpAuth })
  })
})
