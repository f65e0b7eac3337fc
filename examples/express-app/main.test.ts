import { once } from 'node:events'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import {
  createPostmarkTransport,
  createSuppressionList,
  type PostmarkTransporter,
  type SuppressionList,
} from '@postmark-smtp/core'
import { type Sandbox, startSandbox } from '@postmark-smtp/sandbox'
import type { RejectedEvent } from '@postmark-smtp/webhooks'
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import { createApp } from './app.js'
import { main } from './main.js'

const password = 'webhook-6d8f0b2c4e'
let sandbox: Sandbox
let suppressions: SuppressionList
let transporter: PostmarkTransporter
let server: Server
const rejected: RejectedEvent[] = []
beforeAll(async () => {
  sandbox = await startSandbox({ settings: { enableSmtpApiErrorHooks: true } })
  suppressions = createSuppressionList()
  transporter = createPostmarkTransport({ url: sandbox.url, suppressions })
  const onRejected = (event: RejectedEvent) => rejected.push(event)
  server = createApp(transporter, { password, suppressions, onRejected }).listen(0, '127.0.0.1')
  await once(server, 'listening')
})
afterAll(async () => {
  server.close()
  await transporter.close()
  await sandbox.close()
})
beforeEach(() => sandbox.clear())

function ask(path: string, init: RequestInit = {}): Promise<Response> {
  return fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`, init)
}
function post(path: string, body: object, headers: Record<string, string> = {}): Promise<Response> {
  return ask(path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  })
}

it('sends an email with the fields of the request, its route and its user', async () => {
  const headers = { 'x-tenant': 'acme', 'x-request-id': 'r1', authorization: 'Bearer u1' }
  const response = await post('/signup', { email: 'ann@example.com' }, headers)
  expect([response.status, await response.json()]).toEqual([201, { signedUp: 'ann@example.com' }])
  const mail = await sandbox.waitFor({ to: 'ann@example.com' })
  expect(mail.postmark).toEqual({
    tag: 'signup',
    metadata: { tenant: 'acme', 'request-id': 'r1', 'user-id': 'u1' },
  })
})

it('keeps the requests of two tenants apart', async () => {
  await Promise.all(
    ['acme', 'umbrella'].map((tenant) =>
      post('/signup', { email: `ann@${tenant}.example` }, { 'x-tenant': tenant }),
    ),
  )
  for (const tenant of ['acme', 'umbrella']) {
    const mail = await sandbox.waitFor({ to: `ann@${tenant}.example` })
    expect(mail.postmark.metadata).toEqual({ tenant })
  }
})

it('sends a newsletter on the broadcast stream', async () => {
  await post('/newsletter', { recipients: ['ann@example.com', 'bob@example.com'] })
  expect(sandbox.outbox.map((mail) => mail.postmark)).toEqual([
    { messageStream: 'broadcast', tag: 'news' },
    { messageStream: 'broadcast', tag: 'news' },
  ])
})

it('lets a message set its own fields', async () => {
  await post('/password-reset', { email: 'ann@example.com' }, { 'x-tenant': 'acme' })
  const [mail] = sandbox.outbox
  expect(mail?.postmark).toEqual({
    tag: 'password-reset',
    trackLinks: 'None',
    metadata: { tenant: 'acme' },
  })
})

it('answers with every problem of an email that was refused, and goes on', async () => {
  const response = await post('/signup', { email: 'j\u00fcrgen@example.com' })
  expect(response.status).toBe(422)
  const { problems } = (await response.json()) as { problems: { path: string }[] }
  expect(problems.map(({ path }) => path)).toEqual(['to'])
  expect(sandbox.outbox).toEqual([])
  expect((await post('/signup', { email: 'ann@example.com' })).status).toBe(201)
})

function webhook(secret: string) {
  const { port } = server.address() as AddressInfo
  const triggers = { Bounce: { enabled: true, includeContent: true }, SubscriptionChange: true }
  const basicAuth = { username: 'postmark', password: secret }
  return { url: `http://127.0.0.1:${port}/webhooks/postmark`, triggers, basicAuth }
}

it('hears of an email that Postmark refused, and sends no other to that address until it may', async () => {
  const email = 'gone@example.com'
  sandbox.suppress(email)
  const { id } = sandbox.addWebhook(webhook(password))
  const signup = () => post('/signup', { email }, { 'x-request-id': 'r7' })
  expect((await signup()).status).toBe(201)
  await sandbox.advance(0)
  expect(rejected).toMatchObject([{ errorCode: 406, recipient: email, metadata: { 'request-id': 'r7' } }])
  expect(suppressions.list()).toMatchObject([{ address: email, stream: 'outbound' }])
  expect((await signup()).status).toBe(422)
  expect(sandbox.outbox).toHaveLength(1)

  sandbox.unsuppress(email)
  await sandbox.advance(0)
  expect((await signup()).status).toBe(201)
  expect(sandbox.outbox.at(-1)?.verdict.outcome).toBe('sent')
  sandbox.webhooks.remove(id)
})

it('takes an event that is longer than a body parser allows, and none without the secret', async () => {
  const body = { RecordType: 'Bounce', Type: 'SMTPApiError', Content: 'x'.repeat(200_000) }
  const secret = (text: string) => ({ authorization: `Basic ${btoa(`postmark:${text}`)}` })
  rejected.length = 0
  expect((await post('/webhooks/postmark', body, secret('guessed'))).status).toBe(401)
  expect(rejected).toEqual([])
  expect((await post('/webhooks/postmark', body, secret(password))).status).toBe(200)
  expect(rejected).toHaveLength(1)
})

it('reports its health without an email', async () => {
  const response = await ask('/health')
  expect([response.status, await response.json()]).toEqual([
    200,
    { ok: true, checkedAt: expect.any(String), durationMs: expect.any(Number) },
  ])
  expect(sandbox.outbox).toEqual([])
})

it('prints what was answered and what arrived, and reports where each field came from', async () => {
  const lines: string[] = []
  const levels: string[] = []
  await main(
    (line) => lines.push(line),
    (mail, origins) =>
      levels.push(`${mail.subject}: ${origins.tag?.level} ${origins['metadata.tenant']?.level}`),
  )
  // Correlation IDs differ from run to run.
  const told = lines.map((line) => line.replaceAll(/[0-9a-f-]{36}/g, 'ID'))
  expect(told.slice(0, 7).map((line) => line.replace(/^(POST \S+: \d+).*/, '$1'))).toEqual([
    'POST /signup: 201',
    'POST /newsletter: 200',
    'POST /password-reset: 202',
    'POST /signup: 422',
    'POST /signup: 201',
    expect.stringMatching(/^Rejected ID: 406 .*suppressed/),
    'POST /signup: 422',
  ])
  const metadata = '"metadata":{"tenant":"acme","user-id":"u1","correlation-id":"ID"}'
  expect(told.slice(7)).toEqual([
    `Welcome: {"messageStream":"outbound","tag":"signup",${metadata}}`,
    `News: {"messageStream":"broadcast","tag":"news",${metadata}}`,
    `Reset your password: {"messageStream":"outbound","tag":"password-reset","trackLinks":"None",${metadata}}`,
    `Welcome: {"messageStream":"outbound","tag":"signup",${metadata}}`,
  ])
  const refused = lines.find((line) => line.startsWith('Rejected'))
  expect(lines.at(-1)).toContain(refused?.slice('Rejected '.length, refused.indexOf(':')))
  expect(levels).toEqual([
    'Welcome: context[0] context[1]',
    'News: context[0] context[1]',
    'Reset your password: postmark context[0]',
    'Welcome: context[0] context[1]',
  ])
})
