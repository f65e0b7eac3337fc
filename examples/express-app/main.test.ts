import { once } from 'node:events'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createPostmarkTransport, type PostmarkTransporter } from '@postmark-smtp/core'
import { type Sandbox, startSandbox } from '@postmark-smtp/sandbox'
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import { createApp } from './app.js'
import { main } from './main.js'

let sandbox: Sandbox
let transporter: PostmarkTransporter
let server: Server
beforeAll(async () => {
  sandbox = await startSandbox()
  transporter = createPostmarkTransport(sandbox.url)
  server = createApp(transporter).listen(0, '127.0.0.1')
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

it('sends a mail with the fields of the request, its route and its user', async () => {
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

it('lets a mail name fields of its own', async () => {
  await post('/password-reset', { email: 'ann@example.com' }, { 'x-tenant': 'acme' })
  const [mail] = sandbox.outbox
  expect(mail?.postmark).toEqual({
    tag: 'password-reset',
    trackLinks: 'None',
    metadata: { tenant: 'acme' },
  })
})

it('answers with every problem of a mail that was refused, and goes on', async () => {
  const response = await post('/signup', { email: 'j\u00fcrgen@example.com' })
  expect(response.status).toBe(422)
  const { problems } = (await response.json()) as { problems: { path: string }[] }
  expect(problems.map(({ path }) => path)).toEqual(['to'])
  expect(sandbox.outbox).toEqual([])
  expect((await post('/signup', { email: 'ann@example.com' })).status).toBe(201)
})

it('tells its health without a mail', async () => {
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
  expect(lines.slice(0, 4).map((line) => line.slice(0, line.indexOf(': ') + 5))).toEqual([
    'POST /signup: 201',
    'POST /newsletter: 200',
    'POST /password-reset: 202',
    'POST /signup: 422',
  ])
  expect(lines.slice(4)).toEqual([
    'Welcome: {"messageStream":"outbound","tag":"signup","metadata":{"tenant":"acme","user-id":"u1"}}',
    'News: {"messageStream":"broadcast","tag":"news","metadata":{"tenant":"acme","user-id":"u1"}}',
    'Reset your password: {"messageStream":"outbound","tag":"password-reset","trackLinks":"None","metadata":{"tenant":"acme","user-id":"u1"}}',
  ])
  expect(levels).toEqual([
    'Welcome: context[0] context[1]',
    'News: context[0] context[1]',
    'Reset your password: postmark context[0]',
  ])
})
