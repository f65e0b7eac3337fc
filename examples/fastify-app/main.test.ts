import {
  createPostmarkTransport,
  createSuppressionList,
  type PostmarkTransporter,
  type SuppressionList,
} from '@postmark-smtp/core'
import { type Sandbox, startSandbox } from '@postmark-smtp/sandbox'
import type { RejectedEvent } from '@postmark-smtp/webhooks'
import type { FastifyInstance } from 'fastify'
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import { createApp } from './app.js'
import { main } from './main.js'

const password = 'webhook-6d8f0b2c4e'
let sandbox: Sandbox
let suppressions: SuppressionList
let transporter: PostmarkTransporter
let app: FastifyInstance
let origin: string
const rejected: RejectedEvent[] = []
beforeAll(async () => {
  sandbox = await startSandbox({ settings: { enableSmtpApiErrorHooks: true } })
  suppressions = createSuppressionList()
  transporter = createPostmarkTransport({ url: sandbox.url, suppressions })
  const onRejected = (event: RejectedEvent) => rejected.push(event)
  app = createApp(transporter, { password, suppressions, onRejected })
  origin = await app.listen({ port: 0, host: '127.0.0.1' })
})
afterAll(async () => {
  await app.close()
  await transporter.close()
  await sandbox.close()
})
beforeEach(() => sandbox.clear())

function post(path: string, body: object, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(origin + path, {
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
  const tenants = ['acme', 'umbrella']
  await Promise.all(
    tenants.map((tenant) => post('/signup', { email: `ann@${tenant}.example` }, { 'x-tenant': tenant })),
  )
  for (const tenant of tenants) {
    const mail = await sandbox.waitFor({ to: `ann@${tenant}.example` })
    expect(mail.postmark.metadata).toEqual({ tenant })
  }
})

it('sends a newsletter on the broadcast stream', async () => {
  await post('/newsletter', { recipients: ['ann@example.com', 'bob@example.com'] })
  const fields = { messageStream: 'broadcast', tag: 'news' }
  expect(sandbox.outbox.map((mail) => mail.postmark)).toEqual([fields, fields])
})

it('answers with every problem of an email that was refused, and goes on', async () => {
  const response = await post('/signup', { email: 'j\u00fcrgen@example.com' })
  expect(response.status).toBe(422)
  const { problems } = (await response.json()) as { problems: { path: string }[] }
  expect(problems.map(({ path }) => path)).toEqual(['to'])
  expect(sandbox.outbox).toEqual([])
  expect((await post('/signup', { email: 'ann@example.com' })).status).toBe(201)
})

it('hears of an email that Postmark refused, and sends no other to that address', async () => {
  const email = 'gone@example.com'
  sandbox.suppress(email)
  const triggers = { Bounce: { enabled: true, includeContent: true } }
  const basicAuth = { username: 'postmark', password }
  const { id } = sandbox.addWebhook({ url: `${origin}/webhooks/postmark`, triggers, basicAuth })
  const signup = () => post('/signup', { email }, { 'x-request-id': 'r7' })
  expect((await signup()).status).toBe(201)
  await sandbox.advance(0)
  expect(rejected).toMatchObject([{ errorCode: 406, recipient: email, metadata: { 'request-id': 'r7' } }])
  expect(suppressions.list()).toMatchObject([{ address: email, stream: 'outbound' }])
  expect((await signup()).status).toBe(422)
  expect(sandbox.outbox).toHaveLength(1)
  sandbox.webhooks.remove(id)
})

it('reports its health without an email', async () => {
  const response = await fetch(`${origin}/health`)
  expect([response.status, await response.json()]).toMatchObject([200, { ok: true }])
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
  const metadata = '"metadata":{"tenant":"acme","user-id":"u1","correlation-id":"ID"}'
  expect(told).toEqual([
    'POST /signup: 201 {"signedUp":"ann@example.com"}',
    'POST /newsletter: 200 {"sent":1}',
    'POST /signup: 201 {"signedUp":"gone@example.com"}',
    expect.stringMatching(/^Rejected ID: 406 .*suppressed/),
    expect.stringMatching(/^POST \/signup: 422 /),
    `Welcome: {"messageStream":"outbound","tag":"signup",${metadata}}`,
    `News: {"messageStream":"broadcast","tag":"news",${metadata}}`,
    `Welcome: {"messageStream":"outbound","tag":"signup",${metadata}}`,
  ])
  expect(levels).toEqual([
    'Welcome: context[0] context[1]',
    'News: context[0] context[1]',
    'Welcome: context[0] context[1]',
  ])
})
