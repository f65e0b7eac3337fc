import { once } from 'node:events'
import { connect } from 'node:net'
import { createPostmarkTransport, deliveryOutcome } from '@postmark-smtp/core'
import { createTransport } from 'nodemailer'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { type Sandbox, startSandbox } from './sandbox.js'
import { FAULT_PHASES, type Fault, type FaultScript } from './smtp/faults/fault-script.js'
import { seededFaults } from './smtp/faults/seeded-faults.js'

const TOKEN = '4a1a3ab5-5a4d-4b0c-8d0c-000000000001'
const message = (subject: string) => ({ from: 'a@example.com', to: 'b@example.com', subject, text: 'Hello' })
const late: Fault = { phase: 'mail', kind: 'delay', ms: 1 }
const cut: Fault = { phase: 'dot', kind: 'cut', accepted: true }
const subjects = (sandbox: Sandbox) => sandbox.outbox.map(({ subject }) => subject)

/** What the server says to these lines, each said after a whole reply. */
async function dialogue(sandbox: Sandbox, lines: readonly string[]): Promise<string> {
  const socket = connect({ host: sandbox.host, port: sandbox.port }).setEncoding('latin1')
  let heard = ''
  let last = ''
  const left = [...lines, 'QUIT']
  for await (const chunk of socket) {
    last += chunk
    if (!/^\d{3} .*\r\n$/m.test(last)) continue
    heard += last
    last = ''
    const line = left.shift()
    if (line !== undefined) socket.write(`${line}\r\n`)
  }
  return heard
}

/** A client that keeps one connection. */
const pools = {
  Nodemailer: ({ host, port }: Sandbox) =>
    createTransport({
      host,
      port,
      ignoreTLS: true,
      pool: true,
      maxConnections: 1,
      auth: { user: TOKEN, pass: TOKEN },
    }),
  createPostmarkTransport: ({ url }: Sandbox) => createPostmarkTransport(url),
}

describe('a connection with a fault', () => {
  it('offers what any other offers', async () => {
    await using sandbox = await startSandbox({ faults: [late] })
    const [faulty, usual] = [await dialogue(sandbox, ['EHLO me']), await dialogue(sandbox, ['EHLO me'])]
    const offer = (heard: string) => heard.replace(/\r\n221.*/, '')
    expect(offer(faulty)).toBe(offer(usual))
  })

  it.each([
    ['no login', [], '530'],
    ['a token that is not its password', [`AUTH PLAIN ${btoa('\0token\0other')}`], '535 5.7.8 [^]*530'],
    ['another token', [`AUTH PLAIN ${btoa('\0other\0other')}`], '535 5.7.8 [^]*530'],
    ['an unknown mechanism', ['AUTH X'], '504 [^]*530'],
    ['the token', [`AUTH PLAIN ${btoa(`\0${TOKEN}\0${TOKEN}`)}`], '235 [^]*250'],
  ])('accepts an email only after a login: %s', async (_, login, codes) => {
    await using sandbox = await startSandbox({ serverToken: TOKEN, faults: [late] })
    const heard = await dialogue(sandbox, ['EHLO me', ...login, 'MAIL FROM:<a@example.com>'])
    expect(heard).toMatch(new RegExp(`\\r\\n${codes}.*\\r\\n221 `))
  })

  it('takes one without a login where the sandbox allows that', async () => {
    await using sandbox = await startSandbox({ allowAnonymous: true, faults: [late] })
    for (const title of ['with the fault', 'without'])
      expect(await dialogue(sandbox, ['EHLO me', 'MAIL FROM:<a@example.com>']), title).toMatch(
        /\r\n250 .*\r\n221 /,
      )
  })

  it.each(['PLAIN', 'LOGIN', 'CRAM-MD5'] as const)(
    'judges its emails as any other, after %s over TLS',
    async (method) => {
      await using sandbox = await startSandbox({ faults: [late] })
      const { host, port, ca } = sandbox
      for (const subject of ['with the fault', 'without']) {
        const transport = createPostmarkTransport({
          smtpToken: { accessKey: 'PM-B-news-1', secretKey: 'secret' },
          host,
          ports: [port],
          tls: { ca },
          authMethod: method,
        })
        await transport.sendMail({
          ...message(subject),
          postmark: { tag: 'welcome', metadata: { order: '1' } },
        })
        await transport.close()
      }
      const shape = ({ postmark, envelope, secure, stream, verdict }: (typeof sandbox.outbox)[number]) => {
        return { postmark, envelope, secure, stream, outcome: verdict.outcome }
      }
      const [faulty, usual] = sandbox.outbox.map(shape)
      expect(faulty).toMatchObject({ secure: true, stream: 'broadcast', postmark: { tag: 'welcome' } })
      expect(faulty).toEqual(usual)
    },
  )

  it('refuses a header block that is too large, as any other does', async () => {
    await using sandbox = await startSandbox({ allowAnonymous: true, faults: [late] })
    const envelope = ['EHLO me', 'MAIL FROM:<a@example.com>', 'RCPT TO:<b@example.com>', 'DATA']
    const mail = `${'a:\r\n'.repeat(11_000)}\r\nHi\r\n.`
    for (let connection = 0; connection < 2; connection++)
      expect(await dialogue(sandbox, [...envelope, mail])).toContain(
        '\r\n552 5.3.4 Error: message header too big\r\n',
      )
    expect(sandbox.outbox).toEqual([])
  })

  it('ends where a line has no end', async () => {
    await using sandbox = await startSandbox({ faults: [late] })
    expect(await dialogue(sandbox, ['x'.repeat(1_000_000)])).toBe('220 smtp.sandbox ESMTP\r\n')
  })

  it('refuses a message above SIZE', async () => {
    await using sandbox = await startSandbox({ allowAnonymous: true, faults: [late] })
    const text = `${'x'.repeat(998)}\r\n`.repeat(20_500)
    const envelope = ['EHLO me', 'MAIL FROM:<a@example.com>', 'RCPT TO:<b@example.com>', 'DATA']
    expect(await dialogue(sandbox, [...envelope, `${text}.`])).toContain('\r\n552 5.3.4 ')
    expect(sandbox.outbox).toEqual([])
  })
})

describe.each(Object.entries(pools))('sandbox.fail, with the pool of %s', (_, createPool) => {
  it('lets a fault strike on a running sandbox, although the client has a connection', async () => {
    await using sandbox = await startSandbox()
    const pool = createPool(sandbox)
    await pool.sendMail(message('before'))
    for (const subject of ['first', 'second']) {
      await sandbox.fail(cut)
      const error = await pool.sendMail(message(subject)).catch((thrown: unknown) => thrown)
      expect(error).toBeInstanceOf(Error)
      expect(deliveryOutcome(error)).toBe('unknown')
    }
    await pool.sendMail(message('after'))
    expect(subjects(sandbox)).toEqual(['before', 'first', 'second', 'after'])
    await pool.close()
  })

  it('ends an idle connection that met a fault before, too', async () => {
    await using sandbox = await startSandbox({ faults: [late] })
    const pool = createPool(sandbox)
    await pool.sendMail(message('late'))
    await sandbox.fail({ phase: 'rcpt', kind: 'reply', code: 550 })
    await expect(pool.sendMail(message('refused'))).rejects.toMatchObject({ responseCode: 550 })
    expect(subjects(sandbox)).toEqual(['late'])
    await pool.close()
  })
})

it.each([
  ['with a fault', [late]],
  ['without', []],
])(
  'does not wait for a client that leaves its end of an idle connection open: %s',
  async (_title, faults) => {
    await using sandbox = await startSandbox({ faults })
    const { host, port } = sandbox
    const socket = connect({ host, port, allowHalfOpen: true }).setEncoding('latin1')
    for (const line of ['EHLO me', `AUTH PLAIN ${btoa(`\0${TOKEN}\0${TOKEN}`)}`]) {
      await once(socket, 'data')
      socket.write(`${line}\r\n`)
    }
    expect(String(await once(socket, 'data'))).toMatch(/^235 /)
    // Otherwise smtp-server would hang up after a while.
    vi.useFakeTimers({ toFake: ['setTimeout'] })
    onTestFinished(() => void vi.useRealTimers())
    await sandbox.fail({ phase: 'greeting', kind: 'reply', code: 421 })
    vi.useRealTimers()
    expect(await dialogue(sandbox, [])).toMatch(/^421 /)
    socket.destroy()
  },
)

it('lets an email that is under way be, and strikes on the connection after it', async () => {
  await using sandbox = await startSandbox({ allowAnonymous: true })
  const socket = connect({ host: sandbox.host, port: sandbox.port }).setEncoding('latin1')
  await once(socket, 'data')
  socket.write('EHLO me\r\nMAIL FROM:<a@example.com>\r\nRCPT TO:<b@example.com>\r\nDATA\r\n')
  while (!/^354 /m.test(String(await once(socket, 'data')))) {}
  await sandbox.fail({ phase: 'greeting', kind: 'reply', code: 421 })
  expect(await dialogue(sandbox, [])).toMatch(/^421 /)
  socket.write('Subject: under way\r\n\r\n.\r\n')
  expect(String(await once(socket, 'data'))).toMatch(/^250 /)
  socket.destroy()
})

it.each([
  ['faults', 'always' as unknown as FaultScript, 'a list of faults or a function'],
  ['phase', [undefined, { phase: 'dots', kind: 'cut' }] as unknown as FaultScript, 'dot, after'],
  ['kind', [{ phase: 'dot', kind: 'cuts' }] as unknown as FaultScript, 'reset, cut'],
  ['phase', [{ phase: 'auth', kind: 'certificate' }] as unknown as FaultScript, 'tls if kind is certificate'],
  ['phase', [{ phase: 'mail', kind: 'echo' }] as unknown as FaultScript, 'auth if kind is echo'],
  [
    'code',
    [{ phase: 'dot', kind: 'reply', code: 2500 }] as FaultScript,
    'the code of a reply, from 200 to 599',
  ],
  ['ms', [{ phase: 'dot', kind: 'delay', ms: 2 ** 31 }] as FaultScript, 'milliseconds, below 2 \\*\\* 31'],
])('refuses what can never strike: %s in %j', async (name, faults, wanted) => {
  const refusal = { code: 'ERR_POSTMARK_OPTIONS', message: expect.stringMatching(`${name} .*${wanted}`) }
  await expect(startSandbox({ faults })).rejects.toMatchObject(refusal)
  if (typeof faults === 'string') return
  await using sandbox = await startSandbox()
  await expect(sandbox.fail((faults as Fault[]).at(-1)!)).rejects.toMatchObject(refusal)
})

describe('seededFaults', () => {
  const draw = (seed: number, rate?: number) => {
    const script = seededFaults(seed, rate === undefined ? {} : { rate })
    return Array.from({ length: 2000 }, (_, mail) => script(Math.floor(mail / 3), mail % 3))
  }

  it('draws the same faults from the same seed, in whatever order it is asked, and others from another', () => {
    expect(draw(1, 1)).toEqual(draw(1, 1))
    expect(draw(1, 1)).not.toEqual(draw(2, 1))
    const script = seededFaults(1, { rate: 1 })
    expect([script(2, 0), script(0, 0)]).toEqual([draw(1, 1)[6], draw(1, 1)[0]])
  })

  it('draws each phase and each kind, as often as it is told', () => {
    const faults = draw(3, 1)
    expect(new Set(faults.map((fault) => fault?.phase))).toEqual(new Set(FAULT_PHASES))
    expect(new Set(faults.map((fault) => fault?.kind)).size).toBe(9)
    expect(draw(3, 0).filter(Boolean)).toEqual([])
    expect(draw(3).filter(Boolean).length).toBeGreaterThan(140)
    expect(draw(3).filter(Boolean).length).toBeLessThan(260)
  })
})
