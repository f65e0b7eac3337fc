import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { createInterface } from 'node:readline'
import { inspect } from 'node:util'
import { type SmtpServer, type SmtpServerOptions, startSmtpServer } from '@postmark-smtp/testing'
import { describe, expect, it } from 'vitest'
import { createPostmarkTransport, type PostmarkTransportOptions, runWithPostmark } from '../index.js'

const TOKEN = '6f1c2b1e-8a34-4d3a-9a60-2f7f6c1f0a11'
const NEWS = { accessKey: 'PM-B-news-9f8e7d', secretKey: 's3cr3t-of-news' }
const message = { from: 'a@example.com', to: 'b@example.com', subject: 'Hello', text: 'Hello' }

async function setUp(
  options: Partial<PostmarkTransportOptions> = {},
  serverOptions: SmtpServerOptions = {
    auth: [
      { user: TOKEN, pass: TOKEN },
      { user: NEWS.accessKey, pass: NEWS.secretKey },
    ],
  },
) {
  const server = await startSmtpServer(serverOptions)
  const { host, port, ca } = server
  const all = { serverToken: TOKEN, host, ports: [port], tls: { ca }, ...options } as PostmarkTransportOptions
  const transporter = createPostmarkTransport(all)
  const end = async () => {
    await transporter.close()
    await server.close()
  }
  return { server, transporter, [Symbol.asyncDispose]: end }
}

const lines = (server: SmtpServer, index = 0) =>
  server.mails[index]!.headerLines.filter((line) => /^x-pm-/i.test(line))

describe('createPostmarkTransport', () => {
  it('sends over STARTTLS with PLAIN, and writes stream, context and message fields', async () => {
    await using set = await setUp({ messageStream: 'receipts', defaults: { trackOpens: true } })
    const info = await runWithPostmark({ tag: 'order' }, () => set.transporter.sendMail(message))
    expect(lines(set.server)).toEqual([
      'X-PM-Message-Stream: receipts',
      'X-PM-Tag: order',
      'X-PM-TrackOpens: true',
    ])
    expect(set.server.mails[0]).toMatchObject({ secure: true, user: TOKEN, authMethod: 'PLAIN' })
    expect(info).toMatchObject({
      accepted: ['b@example.com'],
      postmark: { messageStream: 'receipts', tag: 'order', warnings: [] },
    })
  })

  it('takes a URL with other options beside it, and the streams of both', async () => {
    await using server = await startSmtpServer()
    const { host, port, ca } = server
    await using set = {
      transporter: createPostmarkTransport({
        url: `postmark+smtp://${TOKEN}@${host}:${port}?stream=news&type=broadcasts`,
        tls: { ca },
        defaults: { trackOpens: true },
        streams: { news: { tag: 'news' } },
      }),
      [Symbol.asyncDispose]: () => set.transporter.close(),
    }
    await set.transporter.sendMail(message)
    expect(lines(server)).toEqual(['X-PM-Message-Stream: news', 'X-PM-Tag: news', 'X-PM-TrackOpens: true'])
  })

  it.each([
    [
      'a port beside a URL that has one',
      { url: `postmark+smtp://${TOKEN}@default:587`, ports: [25] },
      'Option ports is given together with url',
    ],
    [
      'a token beside a URL',
      { url: `postmark+smtp://${TOKEN}@default`, serverToken: 'b' },
      'Option serverToken is given together with url',
    ],
    [
      'a URL that is not set',
      { url: undefined },
      'If it comes from an environment variable such as POSTMARK_URL, check that the variable is set.',
    ],
    [
      'options that are not set',
      undefined,
      'If it comes from an environment variable such as POSTMARK_URL, check that the variable is set.',
    ],
  ])('refuses %s, and does not quote the token', (_what, options, told) => {
    const create = () => createPostmarkTransport(options as unknown as PostmarkTransportOptions)
    expect(create).toThrow(told)
    expect(create).not.toThrow(TOKEN)
  })

  it.each(['PLAIN', 'LOGIN', 'CRAM-MD5'] as const)(
    'logs in with %s where it is asked to',
    async (authMethod) => {
      await using set = await setUp({ authMethod })
      await set.transporter.sendMail(message)
      expect(set.server.mails[0]).toMatchObject({ user: TOKEN, authMethod })
    },
  )

  it('takes the mechanism that the server offers', async () => {
    await using set = await setUp({}, { auth: [{ user: TOKEN, pass: TOKEN }], authMethods: ['CRAM-MD5'] })
    await set.transporter.sendMail(message)
    expect(set.server.mails[0]).toMatchObject({ authMethod: 'CRAM-MD5' })
  })

  it('uses a challenge where it sends in clear on the loopback', async () => {
    await using set = await setUp({ allowPlaintext: true })
    await set.transporter.sendMail(message)
    expect(set.server.mails[0]).toMatchObject({ secure: false, authMethod: 'CRAM-MD5' })
  })

  it('reads a URL', async () => {
    await using server = await startSmtpServer({ auth: [{ user: TOKEN, pass: TOKEN }] })
    const transporter = createPostmarkTransport(
      `postmark+smtp://${TOKEN}@127.0.0.1:${server.port}?plaintext=1&stream=receipts`,
    )
    await transporter.sendMail(message)
    await transporter.close()
    expect(lines(server)).toEqual(['X-PM-Message-Stream: receipts'])
  })

  it('gives a stream its own login and default fields', async () => {
    await using set = await setUp({
      streams: { news: { smtpToken: NEWS, tag: 'weekly', trackLinks: 'None' } },
    })
    await set.transporter.sendMail({
      ...message,
      postmark: { messageStream: 'news', trackLinks: 'HtmlOnly' },
    } as object)
    await set.transporter.sendMail(message)
    expect(lines(set.server)).toEqual([
      'X-PM-Message-Stream: news',
      'X-PM-Tag: weekly',
      'X-PM-TrackLinks: HtmlOnly',
    ])
    expect(set.server.mails.map((mail) => mail.user)).toEqual([NEWS.accessKey, TOKEN])
    expect(lines(set.server, 1)).toEqual([])
  })

  it('rejects an email for another stream than its SMTP token\u2019s', async () => {
    await using set = await setUp({ serverToken: undefined, smtpToken: NEWS } as object)
    const sent = set.transporter.sendMail({ ...message, postmark: { messageStream: 'receipts' } } as object)
    await expect(sent).rejects.toMatchObject({
      code: 'ERR_POSTMARK_PREFLIGHT',
      problems: [{ path: 'messageStream', errorCode: 1235 }],
    })
    await set.transporter.sendMail({ ...message, postmark: { messageStream: 'news' } } as object)
    expect(set.server.mails).toHaveLength(1)
  })

  it('sends not one byte of AUTH to a server that offers no STARTTLS', async () => {
    await using server = await startStrippedServer()
    const transporter = createPostmarkTransport({
      serverToken: TOKEN,
      host: '127.0.0.1',
      ports: [server.port],
    })
    await expect(transporter.sendMail(message)).rejects.toMatchObject({ code: 'ETLS' })
    await transporter.close()
    expect(server.received.map((line) => line.split(' ')[0])).toEqual(['EHLO'])
  })

  it('refuses a certificate that nobody vouches for', async () => {
    await using set = await setUp({ tls: {} })
    await expect(set.transporter.sendMail(message)).rejects.toThrow(/self.signed/)
    expect(set.server.logins).toEqual([])
  })

  it('shows its token in no log line, error, inspection or JSON', async () => {
    const logged: unknown[] = []
    const write = (...entry: unknown[]) => logged.push(entry)
    const logger = {
      level: () => {},
      trace: write,
      debug: write,
      info: write,
      warn: write,
      error: write,
      fatal: write,
    }
    await using set = await setUp({ logger, serverToken: '0f0f0f0f-0000-4000-8000-0f0f0f0f0f0f' } as object)
    const error = await set.transporter.sendMail(message).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ code: 'EAUTH', responseCode: 535 })
    const seen =
      inspect([logged, error, set.transporter], { depth: 12, showHidden: true }) +
      JSON.stringify([logged, error])
    expect(logged.length).toBeGreaterThan(0)
    for (const secret of [
      '0f0f0f0f-0000-4000-8000-0f0f0f0f0f0f',
      btoa('0f0f0f0f-0000-4000-8000-0f0f0f0f0f0f'),
    ]) {
      expect(seen).not.toContain(secret)
    }
  })

  it('verifies each login that is declared', async () => {
    await using set = await setUp({ streams: { news: { smtpToken: NEWS } } })
    expect(await set.transporter.verify()).toBe(true)
    expect(set.server.logins.map(({ user }) => user).toSorted()).toEqual([TOKEN, NEWS.accessKey].toSorted())
  })

  it('goes to the next port where one does not answer', async () => {
    const gone = await startSmtpServer()
    await gone.close()
    await using server = await startSmtpServer()
    const { host, port, ca } = server
    const transporter = createPostmarkTransport({
      serverToken: TOKEN,
      host,
      ports: [gone.port, port],
      tls: { ca },
    })
    await transporter.sendMail(message)
    await transporter.close()
    expect(server.mails).toHaveLength(1)
  })

  it('finishes what is under way when it is closed, and takes no more', async () => {
    await using set = await setUp()
    const sent = set.transporter.sendMail(message)
    await new Promise(setImmediate)
    await set.transporter.close()
    expect(set.server.mails).toHaveLength(1)
    await sent
    await expect(set.transporter.sendMail(message)).rejects.toMatchObject({ code: 'ERR_POSTMARK_CLOSED' })
  })

  it.each([
    ['nothing', undefined, 'ERR_POSTMARK_OPTIONS', 'missing'],
    [
      'a misspelt option',
      { serverToken: TOKEN, messageSteam: 'a' },
      'ERR_POSTMARK_OPTIONS',
      'Did you mean "messageStream"?',
    ],
    ['secure: true', { serverToken: TOKEN, secure: true }, 'ERR_POSTMARK_TLS', 'no implicit TLS'],
    ['port 465', { serverToken: TOKEN, ports: [465] }, 'ERR_POSTMARK_TLS', '465'],
    ['a port that is none', { serverToken: TOKEN, ports: [0] }, 'ERR_POSTMARK_OPTIONS', 'ports'],
    [
      'plaintext to a remote host',
      { serverToken: TOKEN, host: 'smtp.example.com', allowPlaintext: true },
      'ERR_POSTMARK_TLS',
      'loopback',
    ],
    ['plaintext to Postmark', { serverToken: TOKEN, allowPlaintext: true }, 'ERR_POSTMARK_TLS', 'loopback'],
    [
      'an unverified remote host',
      { serverToken: TOKEN, tls: { rejectUnauthorized: false } },
      'ERR_POSTMARK_TLS',
      'loopback',
    ],
    [
      'a host that only looks like loopback',
      { serverToken: TOKEN, host: '127.0.0.1.example.com', allowPlaintext: true },
      'ERR_POSTMARK_TLS',
      'loopback',
    ],
    ['auth', { auth: { user: TOKEN, pass: TOKEN } }, 'ERR_POSTMARK_OPTIONS', 'serverToken'],
    ['a bad default', { serverToken: TOKEN, defaults: { tag: ['a'] } }, 'ERR_POSTMARK_FIELDS', 'one tag'],
    [
      'a bad stream',
      { serverToken: TOKEN, messageStream: 'My Stream' },
      'ERR_POSTMARK_FIELDS',
      'settings page',
    ],
    [
      'a bad stream type',
      { serverToken: TOKEN, streams: { news: { type: 'broadcast' } } },
      'ERR_POSTMARK_OPTIONS',
      'streams.news.type',
    ],
    ['a bad mechanism', { serverToken: TOKEN, authMethod: 'XOAUTH2' }, 'ERR_POSTMARK_OPTIONS', 'authMethod'],
    ['a bad preflight', { serverToken: TOKEN, preflight: 'off' }, 'ERR_POSTMARK_OPTIONS', 'preflight'],
    ['a token with white space', { serverToken: `${TOKEN} ` }, 'ERR_POSTMARK_CREDENTIALS', 'white space'],
  ])('refuses %s at construction', (_what, options, code, text) => {
    let error: unknown
    try {
      createPostmarkTransport(options as never)
    } catch (thrown) {
      error = thrown
    }
    expect(error).toMatchObject({ code })
    expect(`${(error as Error).message} ${(error as { hint: string }).hint}`).toContain(text)
  })
})

/** A server, or somebody on the way to it, that hides STARTTLS and would take a login in clear. */
async function startStrippedServer() {
  const received: string[] = []
  const server = createServer((socket) => {
    socket.on('error', () => {})
    socket.write('220 stripped\r\n')
    createInterface(socket).on('line', (line) => {
      received.push(line)
      if (line.startsWith('EHLO')) socket.write('250-stripped\r\n250 AUTH PLAIN LOGIN CRAM-MD5\r\n')
      else socket.write(line === 'STARTTLS' ? '502 5.5.1 not here\r\n' : '235 2.7.0 thank you\r\n')
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return { port, received, [Symbol.asyncDispose]: async () => void server.close() }
}
