import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { type IncomingMessage, request } from 'node:http'
import { text } from 'node:stream/consumers'
import { createPostmarkTransport } from '@postmark-smtp/core'
import { describe, expect, it } from 'vitest'
import { type Sandbox, startSandbox } from '../../sandbox.js'
import { controlRoutes } from './control-routes.js'
import { toOpenApi } from './open-api.js'

const routes = controlRoutes({} as never)

/** A request with any headers, Host included, which fetch does not allow. */
async function call(
  sandbox: Sandbox,
  method: string,
  path: string,
  body?: object,
  headers: Record<string, string> = {},
) {
  const asked = request(sandbox.apiUrl + path, { method, headers })
  const json = body === undefined ? '' : JSON.stringify(body)
  // Without it Node sends the body of a DELETE as if it were the next request.
  asked.setHeader('Content-Length', Buffer.byteLength(json))
  asked.end(json)
  const [response] = (await once(asked, 'response')) as [IncomingMessage]
  const answer = await text(response)
  const isJson = response.headers['content-type']?.startsWith('application/json')
  return { status: response.statusCode, body: isJson ? JSON.parse(answer) : answer }
}

async function send(sandbox: Sandbox, ...messages: object[]) {
  const transporter = createPostmarkTransport(sandbox.url)
  const usual = { from: 'shop@example.com', to: 'ann@example.com', subject: 'Welcome', text: 'Hello' }
  for (const message of messages) await transporter.sendMail({ ...usual, ...message })
  await transporter.close()
}

const pathOf = (path: string) => path.replace(/\{\w+\}/, '5a4db0c5-0000-4000-8000-706f73746d61')

describe.each(routes.map((route) => [`${route.method} ${route.path}`, route] as const))(
  '%s',
  (_title, route) => {
    it('refuses a foreign Host and a request from a page of another origin, and keeps to the password', async () => {
      await using sandbox = await startSandbox({ password: 'open sesame' })
      const ask = (headers: Record<string, string>) =>
        call(sandbox, route.method, pathOf(route.path), undefined, headers)
      const Authorization = `Basic ${Buffer.from('any:open sesame').toString('base64')}`
      expect(await ask({ Host: 'evil.example', Authorization })).toMatchObject({ status: 421 })
      for (const foreign of [
        { Origin: 'https://evil.example' },
        { 'Sec-Fetch-Site': 'cross-site' },
      ] as const) {
        const { status } = await call(sandbox, 'POST', pathOf(route.path), {}, {
          ...foreign,
          Authorization,
        } as never)
        expect(status).toBe(403)
        if (route.method !== 'GET')
          expect((await ask({ ...foreign, Authorization } as never)).status).toBe(403)
      }
      if (route.isOpen) expect((await ask({})).status).toBe(200)
      else expect(await ask({})).toMatchObject({ status: 401, body: { ErrorCode: 10 } })
    })
  },
)

describe('waiting for an email', () => {
  it('answers with one that is there, or yet to come', async () => {
    await using sandbox = await startSandbox()
    const path =
      '/sandbox/wait?to=ANN@example.com&tag=welcome&stream=outbound&subject=Welcome&metadata_Order-ID=42'
    const waiting = call(sandbox, 'GET', path)
    await send(
      sandbox,
      { to: 'bob@example.com' },
      { text: 'See https://example.com/a', postmark: { tag: 'welcome', metadata: { 'order-id': '42' } } },
    )
    const { status, body } = await waiting
    expect(status).toBe(200)
    expect(body).toMatchObject({
      MessageID: sandbox.outbox[1]!.messageId,
      Recipients: ['ann@example.com'],
      Tag: 'welcome',
      Metadata: { 'order-id': '42' },
      TextBody: 'See https://example.com/a\n',
      Links: ['https://example.com/a'],
      Verdict: { Outcome: 'sent', Problems: [], Notes: [] },
    })
    expect(await call(sandbox, 'GET', path)).toEqual({ status: 200, body })
  })

  it('answers 404 with what is there instead', async () => {
    await using sandbox = await startSandbox()
    await send(sandbox, { subject: 'Receipt', postmark: { messageStream: 'nowhere' } })
    const { status, body } = await call(sandbox, 'GET', '/sandbox/wait?subject=Welcome&timeoutMs=1')
    expect(status).toBe(404)
    expect(body.Message).toContain("No email with { subject: 'Welcome' } arrived within 1 ms.")
    expect(body.Message).toContain("to ann@example.com, subject 'Receipt'")
    expect(body.Mails).toMatchObject([{ Subject: 'Receipt', Verdict: { Outcome: 'refused' } }])
  })

  it.each([
    ['/sandbox/wait?subjct=Hi', "has no parameter 'subjct'. It takes 'to', 'from'"],
    ['/sandbox/wait?timeoutMs=soon', "'timeoutMs' must be a number"],
    ['/sandbox/wait?timeoutMs=60001', "'timeoutMs' must be at most 60000"],
  ])('refuses %s', async (path, why) => {
    await using sandbox = await startSandbox()
    const Message = expect.stringContaining(why)
    expect(await call(sandbox, 'GET', path)).toMatchObject({ status: 422, body: { Message } })
  })
})

describe('the emails', () => {
  it('are listed with their verdicts, looked at, and forgotten', async () => {
    await using sandbox = await startSandbox()
    await send(sandbox, {}, { subject: 'Lost', postmark: { messageStream: 'nowhere' } })
    const { body } = await call(sandbox, 'GET', '/sandbox/mails')
    expect(body).toMatchObject({
      TotalCount: 2,
      Mails: [
        { Status: 'Refused', Verdict: { Outcome: 'refused', Problems: [{ ErrorCode: 1235 }] } },
        { Status: 'Sent', Verdict: { Outcome: 'sent' } },
      ],
    })
    expect((await call(sandbox, 'GET', '/sandbox/mails?subject=Lost&count=0')).body).toEqual({
      TotalCount: 1,
      Mails: [],
    })
    const id = body.Mails[1].MessageID
    expect((await call(sandbox, 'GET', `/sandbox/mails/${id}`)).body).toMatchObject({
      MessageID: id,
      TextBody: 'Hello\n',
      MessageEvents: [{ Type: 'Delivered' }],
    })
    expect(await call(sandbox, 'DELETE', '/sandbox/mails')).toEqual({ status: 200, body: { Removed: 2 } })
    expect(sandbox.outbox).toEqual([])
  })
})

describe('the state of the server', () => {
  it('has suppressions that can be made and lifted', async () => {
    await using sandbox = await startSandbox()
    const body = { address: 'ann@example.com', Stream: 'broadcast', reason: 'SpamComplaint' }
    expect((await call(sandbox, 'POST', '/sandbox/suppressions', body)).body).toEqual({ Changed: true })
    expect((await call(sandbox, 'POST', '/sandbox/suppressions', body)).body).toEqual({ Changed: false })
    expect((await call(sandbox, 'GET', '/sandbox/suppressions')).body.Suppressions).toMatchObject([
      { EmailAddress: 'ann@example.com', MessageStream: 'broadcast', SuppressionReason: 'SpamComplaint' },
    ])
    const lift = { Address: 'ann@example.com', Stream: 'broadcast' }
    expect((await call(sandbox, 'DELETE', '/sandbox/suppressions', lift)).body).toEqual({ Changed: true })
    expect(sandbox.suppressions).toEqual([])
    expect(await call(sandbox, 'POST', '/sandbox/suppressions', {})).toMatchObject({
      status: 422,
      body: { Message: "POST /sandbox/suppressions requires 'Address'." },
    })
  })

  it('has senders that can be verified, and each email is judged by those of its time', async () => {
    await using sandbox = await startSandbox()
    const verify = (Address: string) => call(sandbox, 'POST', '/sandbox/senders', { Address })
    expect((await verify('example.com')).body).toEqual({ Senders: null })
    const Senders = ['other.org', { Address: 'example.com', Confirmed: false }]
    await call(sandbox, 'PUT', '/sandbox/senders', { Senders })
    await send(sandbox, {})
    expect((await verify('example.com')).body).toEqual({
      Senders: [
        { Address: 'other.org', Confirmed: true },
        { Address: 'example.com', Confirmed: true },
      ],
    })
    await send(sandbox, {})
    expect(sandbox.outbox.map(({ verdict }) => verdict.problems[0]?.errorCode)).toEqual([401, undefined])
    expect((await call(sandbox, 'PUT', '/sandbox/senders', {})).body).toEqual({ Senders: null })
    expect((await call(sandbox, 'PUT', '/sandbox/senders', { Senders: ['no sender'] })).status).toBe(422)
  })

  it('has a time that can be moved on', async () => {
    await using sandbox = await startSandbox()
    const before = Date.now()
    const { body } = await call(sandbox, 'POST', '/sandbox/advance', { ms: 3_600_000 })
    expect(Date.parse(body.Now)).toBeGreaterThanOrEqual(before + 3_600_000)
    expect((await call(sandbox, 'POST', '/sandbox/advance', { ms: -1 })).status).toBe(422)
  })

  it('lets a fault strike on the next connection', async () => {
    await using sandbox = await startSandbox()
    const fault = { phase: 'dot', kind: 'reply', code: 550, text: 'no' }
    expect(await call(sandbox, 'POST', '/sandbox/fail', fault)).toEqual({ status: 200, body: {} })
    await expect(send(sandbox, {})).rejects.toThrow('550')
    const unknown = await call(sandbox, 'POST', '/sandbox/fail', { phase: 'lunch', kind: 'cut' })
    expect(unknown).toMatchObject({ status: 422, body: { Message: expect.stringContaining('phase') } })
  })

  it('shows its certificate, and no key', async () => {
    await using sandbox = await startSandbox()
    expect(await call(sandbox, 'GET', '/ca.pem')).toEqual({ status: 200, body: sandbox.ca })
    expect(sandbox.ca).not.toContain('PRIVATE')
  })
})

it.each([
  ['DELETE', '/health', 405, '/health accepts GET, not DELETE.'],
  ['GET', '/sandbox/nothing', 404, 'It has: GET /health'],
  ['GET', '/sandbox/mails/5a4db0c5', 404, "This message doesn't exist."],
])('%s %s gets %i', async (method, path, status, why) => {
  await using sandbox = await startSandbox()
  const Message = expect.stringContaining(why)
  expect(await call(sandbox, method, path)).toMatchObject({ status, body: { Message } })
})

it('takes a token of the REST API in the place of the password', async () => {
  await using sandbox = await startSandbox({ password: 'open sesame', serverToken: 'a-token' })
  const ask = async (token: string) =>
    (await call(sandbox, 'GET', '/sandbox/mails', undefined, { 'X-Postmark-Server-Token': token })).status
  expect([await ask('a-token'), await ask('another')]).toEqual([200, 401])
})

/** After a change of the routes: `npx vitest run packages/sandbox/src/http/control -u`. */
describe('the documents', () => {
  it('describe each route in docs/sandbox-openapi.json', async () => {
    const file = new URL('../../../../../docs/sandbox-openapi.json', import.meta.url)
    await expect(`${JSON.stringify(toOpenApi(routes), undefined, 2)}\n`).toMatchFileSnapshot(file.pathname)
  })

  it('describe each route in the table of docs/sandbox-team.md', async () => {
    const rows = routes.map(({ method, path, summary, parameters, answer }) => {
      const named = parameters.filter((parameter) => parameter.in !== 'path')
      const list = named.map(({ name, required }) => `\`${name}\`${required ? ' (required)' : ''}`).join(', ')
      return `| \`${method} ${path}\` | ${summary} | ${list} | ${answer} |`
    })
    const head = '| Call | What it does | Parameters | Answer |\n| --- | --- | --- | --- |'
    const file = new URL('../../../../../docs/sandbox-team.md', import.meta.url)
    const place = /(<!-- control[^>]*-->\n)[\s\S]*(<!-- \/control -->)/
    const docs = readFileSync(file, 'utf8')
    expect(docs).toMatch(place)
    const made = docs.replace(
      place,
      (_all, from: string, to: string) => `${from}${head}\n${rows.join('\n')}\n${to}`,
    )
    await expect(made).toMatchFileSnapshot(file.pathname)
  })
})
