import { execFile } from 'node:child_process'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { PassThrough } from 'node:stream'
import { inspect, promisify } from 'node:util'
import { type SmtpServer, type SmtpServerOptions, startSmtpServer } from '@postmark-smtp/testing'
import { afterAll, describe, expect, it } from 'vitest'
import {
  createPostmarkTransport,
  deliveryOutcome,
  type PostmarkTransporter,
  type PostmarkTransportOptions,
  type SendEvent,
} from '../index.js'

const TOKEN = '6f1c2b1e-8a34-4d3a-9a60-2f7f6c1f0a11'
const OLD = '0f0f0f0f-8a34-4d3a-9a60-2f7f6c1f0a11'
const message = { from: 'a@example.com', to: 'b@example.com', subject: 'Hello', text: 'Hello' }

async function setUp(
  options: object = {},
  serverOptions: SmtpServerOptions = { auth: [{ user: TOKEN, pass: TOKEN }] },
) {
  const server = await startSmtpServer(serverOptions)
  const transporter = connectTo(server, options)
  const end = async () => {
    await transporter.close({ deadlineMs: 1 })
    await server.close()
  }
  return { server, transporter, [Symbol.asyncDispose]: end }
}

function connectTo({ host, port, ca }: SmtpServer, options: object = {}): PostmarkTransporter {
  const all = {
    serverToken: TOKEN,
    host,
    ports: [port],
    tls: { ca },
    retry: { baseMs: 1 },
    logger,
    ...options,
  }
  return createPostmarkTransport(all as PostmarkTransportOptions)
}

/** Refuses the first emails with a reply, one for each. */
function refuseFirst(...replies: readonly string[]) {
  const left = [...replies]
  return () => {
    const reply = left.shift()
    if (reply === undefined) return undefined
    return Object.assign(new Error(reply.slice(4)), { responseCode: Number(reply.slice(0, 3)) })
  }
}

/** Everything that was logged and thrown in this file; a secret in it is a leak. */
const told: string[] = []
const write = (...entry: unknown[]) => told.push(inspect(entry, { depth: 8 }))
const logger = {
  level: () => {},
  trace: write,
  debug: write,
  info: write,
  warn: write,
  error: write,
  fatal: write,
}

async function failure(
  sent: Promise<unknown>,
): Promise<(Error & { attempts: number; code: string }) | undefined> {
  try {
    await sent
    return undefined
  } catch (error) {
    told.push(
      inspect(error, { depth: 8, showHidden: true }),
      JSON.stringify(error),
      String((error as Error).stack),
    )
    return error as Error & { attempts: number; code: string }
  }
}

afterAll(() => {
  const text = told.join('\n')
  expect(text.length).toBeGreaterThan(10_000)
  for (const secret of [TOKEN, OLD]) {
    for (const form of [
      secret,
      btoa(secret),
      btoa(`\0${secret}\0${secret}`),
      btoa(`${secret} `).slice(0, 48),
    ]) {
      expect(text).not.toContain(form)
    }
  }
})

describe('retries', () => {
  it('tries a deferred mail again, with the same correlation ID, and accepts it once', async () => {
    const onData = refuseFirst('451 4.3.0 try later', '421 4.3.2 busy')
    await using set = await setUp({ correlationId: true }, { onData })
    const info = await set.transporter.sendMail(message)
    expect(info.postmark).toMatchObject({ attempts: 3, host: '127.0.0.1', port: set.server.port })
    expect(set.server.mails.map((mail) => mail.header('X-PM-Metadata-correlation-id'))).toEqual([
      info.postmark.correlationId,
    ])
  })

  it('gives up after the attempts that it has', async () => {
    await using set = await setUp(
      { retry: { baseMs: 1, attempts: 2 } },
      { onData: refuseFirst('451 a', '451 b', '451 c') },
    )
    const error = await failure(set.transporter.sendMail(message))
    expect(error).toMatchObject({ outcome: 'deferred', attempts: 2, responseCode: 451 })
  })

  it('does not try a rejected email again', async () => {
    await using set = await setUp({}, { onData: refuseFirst('554 5.7.1 no') })
    expect(await failure(set.transporter.sendMail(message))).toMatchObject({
      outcome: 'rejected',
      attempts: 1,
    })
  })

  it('reports the recipients that were refused, and sends the email once to the others', async () => {
    const onRcpt = (address: string) =>
      address === 'no@example.com' ? Object.assign(new Error('no'), { responseCode: 451 }) : undefined
    await using set = await setUp({}, { onRcpt })
    const info = await set.transporter.sendMail({ ...message, to: ['yes@example.com', 'no@example.com'] })
    expect(info).toMatchObject({
      accepted: ['yes@example.com'],
      rejected: ['no@example.com'],
      postmark: { attempts: 1 },
    })
    expect(set.server.mails.map((mail) => mail.envelope.to)).toEqual([['yes@example.com']])
  })

  it('tries an email again whose recipients were all deferred, and not one of whose recipients was rejected', async () => {
    const replies = new Map([
      ['later@example.com', 451],
      ['never@example.com', 550],
    ])
    const onRcpt = (address: string) => {
      const responseCode = replies.get(address)
      if (address === 'later@example.com') replies.delete(address)
      return responseCode === undefined ? undefined : Object.assign(new Error('no'), { responseCode })
    }
    await using set = await setUp({}, { onRcpt })
    const info = await set.transporter.sendMail({ ...message, to: 'later@example.com' })
    expect(info.postmark.attempts).toBe(2)
    const error = await failure(set.transporter.sendMail({ ...message, to: 'never@example.com' }))
    expect(error).toMatchObject({ outcome: 'rejected', attempts: 1 })
  })

  it('says of a stream that was read that it cannot be sent again', async () => {
    await using set = await setUp({}, { onData: refuseFirst('451 a') })
    const content = new PassThrough()
    content.end('attachment')
    const error = await failure(
      set.transporter.sendMail({ ...message, attachments: [{ filename: 'a.txt', content }] }),
    )
    expect(error).toMatchObject({
      outcome: 'deferred',
      attempts: 1,
      message: expect.stringContaining('content is a stream'),
    })
    expect(set.server.mails).toEqual([])
  })

  it('does not try again what failed while it was composed', async () => {
    await using set = await setUp()
    const error = await failure(
      set.transporter.sendMail({ ...message, attachments: [{ path: 'there-is-no-such-file.txt' }] }),
    )
    expect(error).toMatchObject({ outcome: 'not-sent', attempts: 1 })
    expect(String(error)).toContain('there-is-no-such-file.txt')
  })
})

describe('ports', () => {
  it('goes to the next port where one is silent, and starts there the next time', async () => {
    await using silent = await startSilentServer()
    await using server = await startSmtpServer()
    const transporter = connectTo(server, { ports: [silent.port, server.port], pool: { maxMessages: 1 } })
    const first = await transporter.sendMail(message)
    const second = await transporter.sendMail(message)
    await transporter.close()
    expect([first.postmark.port, second.postmark.port]).toEqual([server.port, server.port])
    expect(silent.connections).toBe(1)
  })

  it('tells the reason of each port where none serves', async () => {
    await using silent = await startSilentServer()
    const gone = await startSmtpServer()
    await gone.close()
    const transporter = connectTo(gone, {
      ports: [gone.port, silent.port],
      timeouts: { raceMs: 500 },
      retry: { attempts: 1 },
    })
    const error = await failure(transporter.sendMail(message))
    await transporter.close()
    expect(error).toMatchObject({ outcome: 'not-sent', code: 'ETIMEDOUT' })
    expect(error?.message).toMatch(
      new RegExp(`${gone.port}: .*ECONNREFUSED.*${silent.port}: no greeting within 500 ms`),
    )
  })

  it('passes over a port that offers no STARTTLS', async () => {
    await using bare = await startSmtpServer({ tls: false })
    await using server = await startSmtpServer()
    const transporter = connectTo(server, { ports: [bare.port, server.port] })
    const info = await transporter.sendMail(message)
    await transporter.close()
    expect(info.postmark).toMatchObject({ port: server.port, attempts: 1 })
    expect(bare.logins).toEqual([])
  })

  it('takes a socket of the caller\u2019s in place of the race', async () => {
    await using server = await startSmtpServer()
    const asked: unknown[] = []
    const getSocket: PostmarkTransportOptions['getSocket'] = (options, done) => {
      asked.push(options)
      const socket = connect(server.port, server.host, () => done(null, { connection: socket }))
    }
    const transporter = connectTo(server, { ports: [1], getSocket })
    await transporter.sendMail(message)
    await transporter.close()
    expect(asked).toHaveLength(1)
    expect(JSON.stringify(asked)).not.toContain(TOKEN)
  })
})

describe('credentials', () => {
  it('are asked for once more when a login is refused, for a token that was rotated', async () => {
    const given = [OLD, TOKEN]
    await using set = await setUp({
      serverToken: undefined,
      credentials: async () => ({ serverToken: given.shift() }),
    })
    await set.transporter.sendMail(message)
    expect(set.server.logins.map(({ user }) => user)).toEqual([OLD, TOKEN])
  })

  it('are not asked for a third time', async () => {
    await using set = await setUp({ serverToken: undefined, credentials: () => ({ serverToken: OLD }) })
    const error = await failure(set.transporter.sendMail(message))
    expect(error).toMatchObject({
      code: 'EAUTH',
      outcome: 'not-sent',
      hint: expect.stringContaining('Server API token'),
    })
    expect(set.server.logins).toHaveLength(2)
    expect(String(error?.stack)).not.toContain(OLD)
  })

  it('are tried once where they are fixed', async () => {
    await using set = await setUp({ serverToken: OLD })
    expect(await failure(set.transporter.sendMail(message))).toMatchObject({ code: 'EAUTH', attempts: 1 })
    expect(set.server.logins).toHaveLength(1)
  })

  it('are named one by one where verify fails', async () => {
    const streams = { news: { smtpToken: { accessKey: 'PM-B-news-1', secretKey: 'x' } } }
    await using set = await setUp({ streams })
    await expect(set.transporter.verify()).rejects.toThrow(/1 of 2 logins failed:\n {2}- 127\.0\.0\.1: /)
  })
})

describe('the end of an email', () => {
  it('comes at once where its signal was aborted before', async () => {
    await using set = await setUp()
    const error = await failure(
      set.transporter.sendMail({ ...message, signal: AbortSignal.abort() } as object),
    )
    expect(error).toMatchObject({ name: 'AbortError' })
    expect(set.server.mails).toEqual([])
  })

  it('comes where its signal is aborted while it waits for a connection', async () => {
    await using silent = await startSilentServer()
    const transporter = connectTo({ host: '127.0.0.1', port: silent.port, ca: '' } as SmtpServer, {
      pool: { maxConnections: 1 },
    })
    const controller = new AbortController()
    const first = failure(transporter.sendMail({ ...message, signal: controller.signal } as object))
    const second = failure(transporter.sendMail({ ...message, signal: controller.signal } as object))
    await silent.opened
    controller.abort(new Error('enough'))
    for (const error of await Promise.all([first, second])) {
      expect(error).toMatchObject({ name: 'AbortError', outcome: 'not-sent', cause: { message: 'enough' } })
    }
    await transporter.close()
  })

  it('is unknown where it is aborted between the final dot and the reply', async () => {
    const controller = new AbortController()
    const onData = () => {
      controller.abort()
      return undefined
    }
    await using set = await setUp({}, { onData })
    const error = await failure(set.transporter.sendMail({ ...message, signal: controller.signal } as object))
    expect(error).toMatchObject({ name: 'AbortError', attempts: 1 })
    expect(deliveryOutcome(error)).toBe('unknown')
  })

  it('comes with its deadline', async () => {
    await using silent = await startSilentServer()
    const transporter = connectTo({ host: '127.0.0.1', port: silent.port, ca: '' } as SmtpServer, {
      retry: { deadlineMs: 30 },
    })
    const error = await failure(transporter.sendMail(message))
    expect(error).toMatchObject({
      code: 'ETIMEDOUT',
      outcome: 'not-sent',
      message: expect.stringContaining('0.03 s'),
    })
    await transporter.close()
  })

  it('comes where close has waited long enough', async () => {
    await using silent = await startSilentServer()
    const transporter = connectTo({ host: '127.0.0.1', port: silent.port, ca: '' } as SmtpServer)
    const sent = failure(transporter.sendMail(message))
    await silent.opened
    await transporter.close({ deadlineMs: 1 })
    expect(await sent).toMatchObject({ code: 'ERR_POSTMARK_CLOSED', outcome: 'not-sent' })
  })
})

describe('connections', () => {
  it('are ten at the most, over all hosts and logins', async () => {
    await using server = await startSmtpServer()
    const streams = { news: { smtpToken: { accessKey: 'PM-B-news-1', secretKey: 'x' } } }
    const transporter = connectTo(server, { streams })
    const mails = Array.from({ length: 60 }, (_, index) =>
      transporter.sendMail({ ...message, postmark: { messageStream: index % 2 ? 'news' : 'outbound' } }),
    )
    await Promise.all(mails)
    expect(server.mails).toHaveLength(60)
    expect(server.mostConnections).toBeLessThanOrEqual(10)
    await transporter.close()
  })

  it('carry as many emails as they may', async () => {
    await using set = await setUp({ pool: { maxConnections: 1, maxMessages: 2 } })
    for (let index = 0; index < 5; index++) await set.transporter.sendMail(message)
    expect(set.server.connections).toBe(3)
  })

  it('do not keep the process alive while they are idle', async () => {
    await using server = await startSmtpServer({ auth: [{ user: TOKEN, pass: TOKEN }] })
    const { host, port, ca } = server
    const options = {
      serverToken: TOKEN,
      host,
      ports: [port],
      tls: { ca },
      pool: { idleTimeoutMs: 3_600_000 },
    }
    const script = `import { createPostmarkTransport } from '@postmark-smtp/core'
      const info = await createPostmarkTransport(${JSON.stringify(options)}).sendMail(${JSON.stringify(message)})
      console.log(info.accepted.join())`
    const args = ['--input-type=module', '--eval', script]
    const { stdout } = await promisify(execFile)(process.execPath, args, {
      cwd: new URL('../..', import.meta.url),
    })
    expect(stdout.trim()).toBe('b@example.com')
  })

  it('are closed when they are idle, and opened again', async () => {
    await using set = await setUp({ pool: { idleTimeoutMs: 1 } })
    await set.transporter.sendMail(message)
    await set.server.whenDisconnected()
    await set.transporter.sendMail(message)
    expect(set.server.connections).toBe(2)
  })
})

describe('streams', () => {
  it('that are not declared are told when they look like a slip', async () => {
    const warnings: object[] = []
    await using set = await setUp({
      streams: { newsletter: {} },
      onWarning: (warning: object) => warnings.push(warning),
    })
    await set.transporter.sendMail({ ...message, postmark: { messageStream: 'newsleter' } })
    await set.transporter.sendMail({ ...message, postmark: { messageStream: 'something-else' } })
    expect(warnings).toMatchObject([{ path: 'postmark.messageStream', cure: 'Did you mean "newsletter"?' }])
  })

  it('that are not declared are rejected under strictStreams', async () => {
    await using set = await setUp({ streams: { newsletter: {} }, strictStreams: true })
    const sent = set.transporter.sendMail({ ...message, postmark: { messageStream: 'other' } })
    await expect(sent).rejects.toMatchObject({
      code: 'ERR_POSTMARK_PREFLIGHT',
      problems: [{ errorCode: 1235 }],
    })
  })
})

describe('diagnostics_channel', () => {
  it('tells of a send, its connection, its retry and its warning, and of no address or subject', async () => {
    const events: [string, object][] = []
    const names = [
      'tracing:postmark-smtp:send:start',
      'tracing:postmark-smtp:send:asyncEnd',
      'postmark-smtp:connect',
      'postmark-smtp:retry',
      'postmark-smtp:warning',
    ]
    const listener = (event: unknown, name: string | symbol) =>
      events.push([String(name), { ...(event as object) }])
    for (const name of names) subscribe(name, listener)
    await using set = await setUp({}, { onData: refuseFirst('451 4.3.0 b@example.com later') })
    await set.transporter.sendMail({ ...message, postmark: { tag: 'Grüße', messageStream: 'receipts' } })
    for (const name of names) unsubscribe(name, listener)
    const told = events.map(([name]) => name.replace(/^.*postmark-smtp:/, ''))
    expect(told).toEqual(['warning', 'send:start', 'connect', 'retry', 'send:asyncEnd'])
    const offers = expect.arrayContaining(['PIPELINING', '8BITMIME'])
    expect(events[2]![1]).toMatchObject({ port: set.server.port, offers, inUse: 'envelope' })
    expect(events.at(-1)![1]).toMatchObject({
      stream: 'receipts',
      tag: 'Grüße',
      attempt: 2,
      port: set.server.port,
      phase: 'final',
      outcome: 'sent',
      recipientCount: 1,
    })
    expect(events[3]![1]).toMatchObject({ attempt: 1, outcome: 'deferred', responseCode: 451 })
    expect(JSON.stringify(events)).not.toMatch(/example\.com|Hello/)
  })
})

describe('an event of an email that was not sent', () => {
  it.each([
    [
      'preflight refuses it',
      { ...message, subject: 'x'.repeat(3000) },
      { phase: 'compile', code: 'ERR_POSTMARK_PREFLIGHT' },
    ],
    [
      'the server refuses it',
      message,
      { phase: 'final', code: 'EMESSAGE', responseCode: 554, outcome: 'rejected' },
    ],
  ])('has the phase and the code where %s, and its stream', async (_why, mail, expected) => {
    const events: SendEvent[] = []
    const listener = (event: unknown) => void events.push(event as SendEvent)
    subscribe('tracing:postmark-smtp:send:asyncEnd', listener)
    try {
      await using set = await setUp({}, { onData: refuseFirst('554 5.7.1 no') })
      expect(await failure(set.transporter.sendMail(mail))).toBeDefined()
    } finally {
      unsubscribe('tracing:postmark-smtp:send:asyncEnd', listener)
    }
    expect(events).toEqual([expect.objectContaining({ ...expected, stream: 'outbound', host: '127.0.0.1' })])
    expect(events[0]?.durationMs).toBeGreaterThanOrEqual(0)
  })
})

/** Accepts and never greets. */
async function startSilentServer() {
  const sockets: Socket[] = []
  const server = createServer((socket) => {
    socket.on('error', () => {})
    sockets.push(socket)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    opened: once(server, 'connection'),
    get connections() {
      return sockets.length
    },
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy()
      server.close()
    },
  }
}
