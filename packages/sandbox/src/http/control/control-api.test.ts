import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { type IncomingMessage, request } from 'node:http'
import { connect } from 'node:net'
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
      expect(await ask({ Host: 'evil.example', Authorization })).toMatchObject({
        status: 421,
        body: { ErrorCode: 421, Message: expect.stringContaining('evil.example') },
      })
      for (const foreign of [
        { Origin: 'https://evil.example' },
        { 'Sec-Fetch-Site': 'cross-site' },
      ] as const) {
        const answer = await call(sandbox, 'POST', pathOf(route.path), {}, {
          ...foreign,
          Authorization,
        } as never)
        expect(answer).toMatchObject({ status: 403, body: { ErrorCode: 403 } })
        expect((await ask({ ...foreign, Authorization } as never)).status).toBe(403)
      }
      if (route.isOpen) expect((await ask({})).status).toBe(200)
      else expect(await ask({})).toMatchObject({ status: 401, body: { ErrorCode: 10 } })
    })
  },
)

describe('a page of another origin', () => {
  const foreign = { 'Sec-Fetch-Site': 'cross-site', 'Sec-Fetch-Mode': 'no-cors', 'Sec-Fetch-Dest': 'empty' }

  it('cannot find out which emails there are by how long a wait takes', async () => {
    await using sandbox = await startSandbox()
    const waiting = call(sandbox, 'GET', '/sandbox/wait?to=ann@example.com', undefined, foreign)
    expect(await waiting).toMatchObject({ status: 403, body: { ErrorCode: 403 } })
  })

  it('can have a link that opens in its own tab', async () => {
    await using sandbox = await startSandbox()
    const opened = { ...foreign, 'Sec-Fetch-Mode': 'navigate', 'Sec-Fetch-Dest': 'document' }
    expect((await call(sandbox, 'GET', '/sandbox/mails', undefined, opened)).status).toBe(200)
    expect((await call(sandbox, 'DELETE', '/sandbox/mails', undefined, opened)).status).toBe(403)
  })
})

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

describe('a parameter', () => {
  it.each([
    ['/sandbox/mails?to=ann@example.com&TO=bob@example.com', "'TO' is given twice. Send it only once."],
    ['/sandbox/mails?metadata_a=1&metadata_a=2', "'metadata_a' is given twice. Send it only once."],
    ['/sandbox/mails?metadata_=1', "has no parameter 'metadata_'"],
    ['/sandbox/mails?count=0.5', "'count' must be a whole number, 0 or more."],
  ])('of a query: refuses %s', async (path, why) => {
    await using sandbox = await startSandbox()
    const Message = expect.stringContaining(why)
    expect(await call(sandbox, 'GET', path)).toMatchObject({ status: 422, body: { Message } })
  })

  it('of a GET is refused in a body, which is not read', async () => {
    await using sandbox = await startSandbox()
    const Message = 'GET /sandbox/mails takes no body. Send its parameters in the query.'
    const given = { to: 'ann@example.com' }
    const answer = { status: 422, body: { Message } }
    expect(await call(sandbox, 'GET', '/sandbox/mails', given)).toMatchObject(answer)
  })

  it.each([
    ['PUT', 'senders', { Senders: [null] }, "Each of 'Senders' must be a string, or an object with"],
    [
      'PUT',
      'senders',
      { Senders: [{ Address: 'example.com', Confirmd: false }] },
      "Each of 'Senders' must be",
    ],
    ['POST', 'suppressions', { Address: 'a@example.com', address: null }, "'address' is given twice."],
    ['POST', 'suppressions', { Address: 'Ann <ann@example.com>' }, "'Address' must be like ann@example.com."],
    ['DELETE', 'suppressions', { Address: ' ' }, "'Address' must be like ann@example.com."],
    [
      'POST',
      'fail',
      { phase: 'dot', kind: 'reply', code: 550.5 },
      "'code' must be a whole number, 0 or more.",
    ],
    ['POST', 'fail', { phase: 'rcpt', kind: 'cut', recipient: 0.5 }, "'recipient' must be a whole number"],
  ])('of a body: refuses %s %s %j', async (method, path, given, why) => {
    await using sandbox = await startSandbox()
    const Message = expect.stringContaining(why)
    expect(await call(sandbox, method, `/sandbox/${path}`, given)).toMatchObject({
      status: 422,
      body: { Message },
    })
  })

  it('that is empty counts as missing', async () => {
    await using sandbox = await startSandbox({ senders: ['example.com'] })
    expect(await call(sandbox, 'PUT', '/sandbox/senders', { Senders: '' })).toEqual({
      status: 200,
      body: { Senders: null },
    })
  })

  it('is passed on as it was read: a code in a string is a code', async () => {
    await using sandbox = await startSandbox()
    const fault = { phase: 'mail', kind: 'reply', code: '421', text: null, close: '' }
    expect(await call(sandbox, 'POST', '/sandbox/fail', fault)).toEqual({ status: 200, body: {} })
    const socket = connect(sandbox.port, sandbox.host).setEncoding('latin1')
    socket.write(`EHLO me\r\nAUTH PLAIN ${btoa('\0token\0token')}\r\nMAIL FROM:<a@example.com>\r\n`)
    expect(await text(socket)).toMatch(/\r\n421 by the script\r\n$/)
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

  it('has a time that ends, and keeps working after a call that would go past it', async () => {
    await using sandbox = await startSandbox()
    for (const ms of [1e300, 8.64e15, 253_402_300_800_000]) {
      const { status, body } = await call(sandbox, 'POST', '/sandbox/advance', { ms })
      expect([status, body.Message]).toEqual([422, expect.stringContaining('Pass fewer milliseconds.')])
    }
    await send(sandbox, {})
    expect((await call(sandbox, 'GET', '/sandbox/mails')).status).toBe(200)
    expect((await call(sandbox, 'POST', '/sandbox/advance', { ms: 0 })).status).toBe(200)
  })

  it('lets a fault strike on the next connection', async () => {
    await using sandbox = await startSandbox()
    const fault = { phase: 'dot', kind: 'reply', code: 550, text: 'no' }
    expect(await call(sandbox, 'POST', '/sandbox/fail', fault)).toEqual({ status: 200, body: {} })
    await expect(send(sandbox, {})).rejects.toThrow('550')
  })

  it.each([
    [{ phase: 'lunch', kind: 'cut' }, "'phase' must be one of: connect, greeting"],
    [{ phase: 'dot', kind: 'explode' }, "'kind' must be one of: reset, cut"],
    [{ phase: 'dot', kind: 'missing' }, 'Option phase is "dot"; it must be starttls if kind is missing.'],
    [{ phase: 'dot', kind: 'reply' }, 'Option code is undefined; it must be'],
  ])('refuses the fault %j, which can never strike', async (fault, why) => {
    await using sandbox = await startSandbox()
    const Message = expect.stringContaining(why)
    expect(await call(sandbox, 'POST', '/sandbox/fail', fault)).toMatchObject({
      status: 422,
      body: { Message },
    })
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
