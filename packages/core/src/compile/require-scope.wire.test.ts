import { startSmtpServer } from '@postmark-smtp/testing'
import { createTransport, type SendMailOptions } from 'nodemailer'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import {
  attachPostmark,
  type BatchResult,
  type CompileOptions,
  capturePostmark,
  createPostmarkTransport,
  deliveryOutcome,
  type PostmarkError,
  runWithPostmark,
  sendBatch,
  updatePostmark,
} from '../index.js'
import { createCompileStep } from './compile-step.js'

const TOKEN = '6f1c2b1e-8a34-4d3a-9a60-2f7f6c1f0a11'
const mail = { from: 'shop@example.com', to: 'ann@example.com', subject: 'Hello', text: 'Hello' }
const acme = { metadata: { tenant: 'acme' } }

let server: Awaited<ReturnType<typeof startSmtpServer>>
beforeAll(async () => {
  server = await startSmtpServer({ auth: [{ user: TOKEN, pass: TOKEN }] })
})
afterAll(() => server.close())
beforeEach(() => server.clear())

const tenants = () =>
  server.mails.map(({ headerLines }) => {
    const line = headerLines.find((each) => /^x-pm-metadata-tenant:/i.test(each))
    return line?.slice(line.indexOf(':') + 2)
  })

type Send = (message: SendMailOptions) => Promise<unknown>

function connect(options: CompileOptions) {
  const { host, port, ca } = server
  return createPostmarkTransport({ serverToken: TOKEN, host, ports: [port], tls: { ca }, ...options })
}

function connectByNodemailer(defaults?: object) {
  const { host, port, ca } = server
  const auth = { user: TOKEN, pass: TOKEN }
  return createTransport({ host, port, requireTLS: true, tls: { ca }, auth }, defaults)
}

/** Each way to send, as a function that sends and one that ends it. */
const WAYS: Readonly<Record<string, (options: CompileOptions) => readonly [Send, () => unknown]>> = {
  createPostmarkTransport(options) {
    const transporter = connect({ onWarning: () => {}, ...options })
    return [(message) => transporter.sendMail(message), () => transporter.close()]
  },
  'a transporter that a library makes of ours'(options) {
    const ours = connect(options)
    const outer = createTransport(ours as never)
    return [(message) => outer.sendMail(message), () => ours.close()]
  },
  attachPostmark(options) {
    const transporter = attachPostmark(connectByNodemailer(), options)
    return [(message) => transporter.sendMail(message), () => transporter.close()]
  },
  'the plugin'(options) {
    const transporter = connectByNodemailer()
    transporter.use('compile', createCompileStep(options))
    return [(message) => transporter.sendMail(message), () => transporter.close()]
  },
}

describe.each(Object.entries(WAYS))('requireScope with %s', (_way, open) => {
  async function attempt(options: CompileOptions, work: (send: Send) => unknown): Promise<unknown> {
    const [send, close] = open(options)
    try {
      return await work(send)
    } catch (error) {
      return error
    } finally {
      await close()
    }
  }
  const refused = (path: string) => ({
    code: 'ERR_POSTMARK_SCOPE',
    problems: expect.arrayContaining([expect.objectContaining({ path, severity: 'error' })]),
  })

  it.each<[CompileOptions]>([[{ requireScope: true }], [{ requireScope: { metadata: 'tenant' } }]])(
    'rejects an email outside of any scope under %j, and nothing reaches the server',
    async (options) => {
      const error = await attempt(options, (send) => send(mail))
      expect(error).toMatchObject(refused('context'))
      expect((error as Error).message).toContain('capturePostmark')
      expect(deliveryOutcome(error)).toBe('not-sent')
      expect(server.mails).toEqual([])
    },
  )

  it.each(['throw', 'warn', 'fit'] as const)(
    'rejects it with preflight %s too, and defaults are no scope',
    async (preflight) => {
      const options: CompileOptions = { requireScope: { metadata: 'tenant' }, preflight, defaults: acme }
      expect(await attempt(options, (send) => send(mail))).toMatchObject(refused('context'))
      expect(server.mails).toEqual([])
    },
  )

  it('true takes any open scope, also one without fields', async () => {
    await attempt({ requireScope: true }, (send) => runWithPostmark({}, () => send(mail)))
    expect(tenants()).toEqual([undefined])
  })

  it.each<[string, (send: Send) => unknown]>([
    ['whose scope lacks the key', (send) => runWithPostmark({ tag: 'a' }, () => send(mail))],
    [
      'whose scope has cleared it',
      (send) => runWithPostmark(acme, () => runWithPostmark({ metadata: null }, () => send(mail))),
    ],
    ['whose scope says null', (send) => runWithPostmark({ metadata: { tenant: null } }, () => send(mail))],
    [
      'whose context function gave nothing, as without a login',
      (send) =>
        runWithPostmark(
          () => ({ metadata: { tenant: undefined } }),
          () => send(mail),
        ),
    ],
    [
      'that names the tenant itself in a scope without one',
      (send) => runWithPostmark({}, () => send({ ...mail, postmark: acme })),
    ],
  ])('{ metadata } rejects an email %s', async (_what, work) => {
    const error = await attempt({ requireScope: { metadata: 'tenant' } }, work)
    expect(error).toMatchObject(refused('context.metadata.tenant'))
    expect(server.mails).toEqual([])
  })

  it('says why a context function gave nothing', async () => {
    const fail = () => {
      throw new TypeError('no user')
    }
    const error = await attempt({ requireScope: { metadata: 'tenant' } }, (send) =>
      runWithPostmark(fail, () => send(mail)),
    )
    expect((error as Error).message).toContain('threw TypeError')
  })

  it.each<[string, object]>([
    ['postmark.metadata.tenant', { postmark: { metadata: { tenant: 'umbrella' } } }],
    ['postmark.metadata.tenant', { postmark: { metadata: { TENANT: 'umbrella' } } }],
    ['postmark.metadata.tenant', { postmark: { metadata: { tenant: null } } }],
    ['postmark.metadata.tenant', { postmark: { metadata: null } }],
    ['headers.X-PM-Metadata-tenant', { headers: { 'X-PM-Metadata-Tenant': 'umbrella' } }],
    [
      'raw.X-PM-Metadata-tenant',
      {
        raw: 'From: shop@example.com\r\nTo: ann@example.com\r\nX-PM-Metadata-tenant: umbrella\r\n\r\nHi',
        envelope: { from: 'shop@example.com', to: 'ann@example.com' },
      },
    ],
  ])(
    'rejects an email whose %s is not that of the scope: %j, and quotes neither value',
    async (path, given) => {
      const error = await attempt({ requireScope: { metadata: 'tenant' }, preflight: 'warn' }, (send) =>
        runWithPostmark(acme, () => send({ ...mail, ...given })),
      )
      expect(error).toMatchObject(refused(path))
      expect(JSON.stringify([error, (error as Error).message])).not.toMatch(/acme|umbrella/)
      expect(server.mails).toEqual([])
    },
  )

  it.each<[string, (send: Send) => unknown]>([
    ['the scope names the tenant', (send) => runWithPostmark(acme, () => send(mail))],
    [
      'the message names the same one',
      (send) => runWithPostmark(acme, () => send({ ...mail, postmark: acme })),
    ],
    [
      'its name is longer than a value may be, in the scope',
      (send) => runWithPostmark({ metadata: { tenant: 'acme'.padEnd(90, '.') } }, () => send(mail)),
    ],
    [
      'a later middleware adds it',
      (send) =>
        runWithPostmark({}, () => {
          updatePostmark({ metadata: { Tenant: 'acme' } })
          return send(mail)
        }),
    ],
    [
      'the system opens a scope for one tenant inside that of another, on purpose',
      (send) =>
        runWithPostmark({ metadata: { tenant: 'system' } }, () =>
          runWithPostmark(acme, () => send({ ...mail, postmark: acme })),
        ),
    ],
    [
      'capturePostmark has kept the scope for a callback',
      async (send) => {
        const reenter = runWithPostmark(acme, () => capturePostmark())
        await runWithPostmark({ metadata: { tenant: 'umbrella' } }, () =>
          reenter(() => send({ ...mail, postmark: acme })),
        )
      },
    ],
    [
      'the email has more keys than it may, of which those of scopes go',
      (send) =>
        runWithPostmark(acme, () =>
          runWithPostmark(
            { metadata: Object.fromEntries(Array.from({ length: 10 }, (_, n) => [`k${n}`, n])) },
            () => send(mail),
          ),
        ),
    ],
  ])('sends where %s', async (_what, work) => {
    const options: CompileOptions = { requireScope: { metadata: 'tenant' }, onWarning: () => {} }
    const result = await attempt(options, work)
    expect(result).not.toBeInstanceOf(Error)
    expect(tenants().map((tenant) => tenant?.slice(0, 4))).toEqual(['acme'])
  })
})

describe('requireScope', () => {
  it('compares keys without regard to case', async () => {
    const transporter = connect({ requireScope: { metadata: 'TENANT' } })
    await runWithPostmark(acme, () => transporter.sendMail(mail))
    expect(tenants()).toEqual(['acme'])
    await transporter.close()
  })

  it.each<[unknown]>([
    ['tenant'],
    [null],
    [{}],
    [{ metadata: '' }],
    [{ metadata: 'a b' }],
    [{ key: 'tenant' }],
  ])('does not take %j', (requireScope) => {
    expect(() => connect({ requireScope } as never)).toThrow(/Option requireScope .* a key of at most 20/)
  })

  it('rejects tenants that are mixed up by a shared callback, and no email goes out under a wrong name', async () => {
    const transporter = connect({ requireScope: { metadata: 'tenant' } })
    const waiting: (() => void)[] = []
    // The pool calls all callbacks in the scope of whoever came last, as those of databases do.
    const pool = { query: (done: () => void) => waiting.push(done) }
    const requests = Array.from({ length: 20 }, (_, n) => (n % 2 === 0 ? 'acme' : 'umbrella'))
    const sent = requests.map((tenant) =>
      runWithPostmark({ metadata: { tenant } }, async () => {
        await new Promise(setImmediate)
        return await new Promise<string>((resolve) =>
          pool.query(() => {
            transporter.sendMail({ ...mail, subject: tenant, postmark: { metadata: { tenant } } }).then(
              () => resolve('sent'),
              (error: PostmarkError) => resolve(error.code),
            )
          }),
        )
      }),
    )
    await new Promise(setImmediate)
    await new Promise(setImmediate)
    runWithPostmark({ metadata: { tenant: 'umbrella' } }, () => {
      for (const done of waiting) done()
    })
    expect(await Promise.all(sent)).toEqual(
      requests.map((tenant) => (tenant === 'acme' ? 'ERR_POSTMARK_SCOPE' : 'sent')),
    )
    expect(server.mails.map((each) => each.header('subject'))).toEqual(tenants())
    await transporter.close()
  })

  it('lets a batch take the scope in which sendBatch was called, and checks each of its emails', async () => {
    const transporter = connect({ requireScope: { metadata: 'tenant' } })
    const messages = ['acme', 'umbrella', undefined].map((tenant, n) => ({
      ...mail,
      to: `reader-${n}@example.com`,
      postmark: tenant === undefined ? {} : { metadata: { tenant } },
    }))
    const outcomes: Record<number, string> = {}
    for await (const { index, outcome } of runWithPostmark(acme, () =>
      sendBatch(transporter, messages, { allowTransactional: true }),
    ))
      outcomes[index] = outcome
    expect(outcomes).toEqual({ 0: 'sent', 1: 'refused', 2: 'sent' })
    expect(tenants()).toEqual(['acme', 'acme'])
    await transporter.close()
  })

  it('ends a batch that was started outside of any scope at its first email', async () => {
    const transporter = connect({ requireScope: true })
    const results: BatchResult[] = []
    const run = async () => {
      for await (const result of sendBatch(transporter, [mail, mail, mail])) results.push(result)
    }
    await expect(run()).rejects.toMatchObject({
      code: 'ERR_POSTMARK_BATCH',
      cause: { code: 'ERR_POSTMARK_SCOPE' },
    })
    expect(results.length).toBe(1)
    expect(server.mails).toEqual([])
    await transporter.close()
  })
})
