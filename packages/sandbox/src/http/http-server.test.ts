import { once } from 'node:events'
import { type IncomingMessage, request } from 'node:http'
import { connect } from 'node:net'
import { networkInterfaces } from 'node:os'
import { text } from 'node:stream/consumers'
import { describe, expect, it, vi } from 'vitest'
import { type Sandbox, startSandbox } from '../sandbox.js'

/** A request with any headers, Host included, which fetch does not allow. */
async function call(sandbox: Sandbox, path: string, headers: Record<string, string> = {}, method = 'GET') {
  const asked = request(sandbox.apiUrl + path, { method, headers })
  asked.end()
  const [response] = (await once(asked, 'response')) as [IncomingMessage]
  let text = ''
  for await (const chunk of response) text += chunk
  return { status: response.statusCode, headers: response.headers, text }
}

const hasIpv6 = Object.values(networkInterfaces())
  .flat()
  .some((entry) => entry?.address === '::1')

const login = (password: string) => ({
  Authorization: `Basic ${Buffer.from(`any:${password}`).toString('base64')}`,
})

describe('Host', () => {
  it.each([
    ['127.0.0.1', 200],
    ['127.0.0.1:80', 200],
    ['localhost:8025', 200],
    ['LOCALHOST', 200],
    ['[::1]:8025', 200],
    ['evil.example', 421],
    ['evil.example:8025', 421],
    ['127.0.0.1.evil.example', 421],
    ['localhost.evil.example', 421],
    ['192.0.2.1', 421],
  ])('%s is answered with %i, for page and API', async (Host, status) => {
    await using sandbox = await startSandbox()
    expect((await call(sandbox, '/', { Host })).status).toBe(status)
    const token = { 'X-Postmark-Server-Token': sandbox.token }
    expect((await call(sandbox, '/server', { Host, ...token })).status).toBe(status)
  })
})

describe('a request that changes something', () => {
  it.each([
    [{ Origin: 'https://evil.example' }, 403],
    [{ Origin: 'null' }, 403],
    [{ Origin: 'SELF' }, 303],
    [{ Origin: 'SELF', 'Sec-Fetch-Site': 'same-origin' }, 303],
    [{ 'Sec-Fetch-Site': 'cross-site' }, 403],
    [{ 'Sec-Fetch-Site': 'same-site', Origin: 'SELF' }, 403],
    [{}, 303],
  ])('with %j is answered with %i', async (given, status) => {
    await using sandbox = await startSandbox()
    const entries = Object.entries(given).map(([name, value]) => [
      name,
      value.replace('SELF', sandbox.apiUrl),
    ])
    const headers = Object.fromEntries(entries)
    expect((await call(sandbox, '/clear', headers, 'POST')).status).toBe(status)
  })

  it('meets the same check at the API', async () => {
    await using sandbox = await startSandbox()
    const headers = { 'X-Postmark-Server-Token': sandbox.token, Origin: 'https://evil.example' }
    expect((await call(sandbox, '/webhooks/1', headers, 'DELETE')).status).toBe(403)
  })
})

describe('headers', () => {
  it.each(['/', '/server', '/nothing', '/templates'])('of %s keep the answer from others', async (path) => {
    await using sandbox = await startSandbox()
    const { headers } = await call(
      sandbox,
      path,
      path === '/' ? {} : { 'X-Postmark-Server-Token': sandbox.token },
    )
    expect(headers).toMatchObject({
      'cache-control': 'no-store',
      'content-security-policy': expect.stringContaining("default-src 'none'"),
      'cross-origin-resource-policy': 'same-origin',
      'referrer-policy': 'no-referrer',
      'x-content-type-options': 'nosniff',
    })
    expect(Object.keys(headers).filter((name) => name.startsWith('access-control'))).toEqual([])
  })

  it('name the methods that a path takes', async () => {
    await using sandbox = await startSandbox()
    const { headers } = await call(sandbox, '/server', { 'X-Postmark-Server-Token': 'any' }, 'DELETE')
    expect(headers.allow).toBe('GET, PUT')
  })
})

describe('a password', () => {
  it('is asked for by the page, whatever the user name', async () => {
    await using sandbox = await startSandbox({ password: 'open sesame' })
    const refused = await call(sandbox, '/')
    expect(refused.status).toBe(401)
    expect(refused.headers['www-authenticate']).toContain('Basic realm="Postmark sandbox"')
    expect((await call(sandbox, '/events', login('sesame'))).status).toBe(401)
    expect((await call(sandbox, '/', login('open sesame'))).status).toBe(200)
  })

  it('is guessed at by page and API five times at once, and then once a second', async () => {
    await using sandbox = await startSandbox({ password: 'open sesame' })
    const token = (guess: string) => ({ 'X-Postmark-Server-Token': guess })
    for (let guess = 0; guess < 3; guess++) expect((await call(sandbox, '/', login('x'))).status).toBe(401)
    for (let guess = 0; guess < 2; guess++)
      expect((await call(sandbox, '/server', token('x'))).status).toBe(401)
    vi.useFakeTimers({ toFake: ['setTimeout'] })
    try {
      // Ten wait for their turns. What comes beyond is not looked at, not even the right one.
      const waiting = Array.from({ length: 10 }, () => call(sandbox, '/', login('y')))
      await expect.poll(() => vi.getTimerCount()).toBe(1)
      const beyond = await call(sandbox, '/', login('open sesame'))
      expect([beyond.status, beyond.headers['retry-after']]).toEqual([429, '10'])
      const answer = await call(sandbox, '/server', token('open sesame'))
      expect([answer.status, JSON.parse(answer.text).ErrorCode]).toEqual([429, 429])
      // Asking for the login itself is no guess.
      expect((await call(sandbox, '/')).status).toBe(401)
      for (const reply of waiting) {
        vi.advanceTimersByTime(1000)
        expect((await reply).status).toBe(401)
      }
      const right = call(sandbox, '/', login('open sesame'))
      await expect.poll(() => vi.getTimerCount()).toBe(1)
      vi.advanceTimersByTime(1000)
      expect((await right).status).toBe(200)
    } finally {
      vi.useRealTimers()
    }
    expect((await call(sandbox, '/server', token('open sesame'))).status).toBe(200)
  })

  it.each(['0.0.0.0', '::', '192.0.2.1', 'example.com'])('is wanted to listen on %s', async (host) => {
    await expect(startSandbox({ host })).rejects.toMatchObject({
      code: 'ERR_POSTMARK_OPTIONS',
      message: expect.stringContaining('password'),
    })
  })

  it('lets other names in where every interface is listened on', async () => {
    await using sandbox = await startSandbox({ host: '0.0.0.0', password: 'open sesame' })
    expect(sandbox.inboxUrl).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/$/)
    expect(sandbox.url).toContain('@127.0.0.1:')
    const Host = 'sandbox.internal:8025'
    expect((await call(sandbox, '/', { Host, ...login('open sesame') })).status).toBe(200)
    expect((await call(sandbox, '/', { Host })).status).toBe(401)
  })
})

describe('the server', () => {
  it.skipIf(!hasIpv6)('is called by its address in brackets where that is IPv6', async () => {
    await using sandbox = await startSandbox({ host: '::1' })
    expect(sandbox.apiHost).toMatch(/^\[::1\]:\d+$/)
    expect((await fetch(sandbox.inboxUrl)).status).toBe(200)
  })

  it('says which port is taken', async () => {
    await using sandbox = await startSandbox()
    const httpPort = Number(new URL(sandbox.apiUrl).port)
    await expect(startSandbox({ httpPort })).rejects.toThrow(
      `cannot listen on 127.0.0.1:${httpPort}: another process`,
    )
  })

  it('answers what is no request with 400 or a closed connection, and lives on', async () => {
    await using sandbox = await startSandbox()
    const port = Number(new URL(sandbox.apiUrl).port)
    for (const garbage of [
      'GET http://[ HTTP/1.1\r\nHost: a\r\n\r\n',
      'GET / HTTP/1.0\r\n\r\n',
      '\x16\x03\x01\r\n\r\n',
    ]) {
      const socket = connect(port, '127.0.0.1').setEncoding('latin1')
      let reply = ''
      socket.on('data', (chunk) => {
        reply += chunk
      })
      socket.on('error', () => {})
      socket.end(garbage, 'latin1')
      await once(socket, 'close')
      expect(reply).toMatch(/^(HTTP\/1\.1 4\d\d |$)/)
    }
    expect((await call(sandbox, '/')).status).toBe(200)
  })

  it.each([
    [
      'a header that is too long',
      `GET /health HTTP/1.1\r\nHost: localhost\r\na: ${'a'.repeat(20_000)}\r\n\r\n`,
      431,
    ],
    ['a broken Host', 'GET /health HTTP/1.1\r\nHost: a b\r\nConnection: close\r\n\r\n', 400],
    ['the method TRACE', 'TRACE /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n', 400],
  ])('says what is wrong with %s, in JSON', async (_title, request, code) => {
    await using sandbox = await startSandbox()
    const socket = connect(Number(new URL(sandbox.apiUrl).port), '127.0.0.1')
    socket.write(request)
    const [head, body = ''] = (await text(socket)).split('\r\n\r\n')
    expect(head).toMatch(new RegExp(`^HTTP/1.1 ${code} `))
    expect(JSON.parse(body)).toEqual({ ErrorCode: code, Message: expect.any(String) })
  })

  it('reads a path that begins with two slashes as a path, not as a host', async () => {
    await using sandbox = await startSandbox()
    expect((await call(sandbox, '//evil.example/health')).status).toBe(404)
  })

  it('ends a live stream when it closes', async () => {
    const sandbox = await startSandbox()
    const asked = request(`${sandbox.inboxUrl}events`).end()
    const [response] = (await once(asked, 'response')) as [IncomingMessage]
    expect(response.headers['content-type']).toContain('text/event-stream')
    response.on('error', () => {})
    const ended = new Promise((resolve) => response.resume().once('close', resolve))
    await sandbox.close()
    await ended
    await expect(fetch(sandbox.inboxUrl)).rejects.toThrow('fetch failed')
  })
})
