import { AsyncLocalStorage } from 'node:async_hooks'
import { createReadStream } from 'node:fs'
import { Readable } from 'node:stream'
import { setTimeout as wait } from 'node:timers/promises'
import { startSmtpServer } from '@postmark-smtp/testing'
import { createTransport, type Transporter } from 'nodemailer'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { createPostmarkTransport, deliveryOutcome, runWithPostmark } from '../index.js'
import { attachPostmark } from './attach.js'
import { createCompileStep } from './compile-step.js'
import type { CompileOptions } from './settings.js'

const TOKEN = '6f1c2b1e-8a34-4d3a-9a60-2f7f6c1f0a11'
const message = { from: 'a@example.com', to: 'b@example.com', subject: 'Hello', text: 'Hello' }
const envelope = { from: 'a@example.com', to: ['b@example.com'] }
const MISSING = '/nowhere/missing.txt'

let server: Awaited<ReturnType<typeof startSmtpServer>>
const open: { close(): unknown }[] = []
const uncaught: unknown[] = []
const onUncaught = (error: unknown) => uncaught.push(error)
beforeAll(async () => {
  server = await startSmtpServer({ auth: [{ user: TOKEN, pass: TOKEN }] })
})
afterEach(async () => {
  for (const transporter of open.splice(0)) await transporter.close()
  server.clear()
  expect(uncaught.splice(0)).toEqual([])
})
afterAll(() => server.close())

const keep = <T extends { close(): unknown }>(transporter: T): T => {
  open.push(transporter)
  return transporter
}

function connect(options: object = {}): Transporter {
  const { host, port, ca } = server
  const auth = { user: TOKEN, pass: TOKEN }
  return keep(createTransport({ host, port, requireTLS: true, tls: { ca }, auth, ...options }) as Transporter)
}

function connectOurs(options: CompileOptions = {}): Transporter {
  const { host, port, ca } = server
  return keep(createPostmarkTransport({ serverToken: TOKEN, host, ports: [port], tls: { ca }, ...options }))
}

const ways: readonly (readonly [string, (options?: CompileOptions) => Transporter])[] = [
  ['attachPostmark', (options) => attachPostmark(connect(), options)],
  ['attachPostmark on a pool', (options) => attachPostmark(connect({ pool: true }), options)],
  ['createPostmarkTransport', connectOurs],
]

/** A store that answers once the stream has failed. It adds no listener for the error, which would hide that nobody else has one. */
const waitFor = (content: Readable) => ({
  find: () =>
    new Promise<[]>((resolve) => {
      content.once('close', () => resolve([]))
    }),
})
const failing = () =>
  new Readable({
    read() {
      this.destroy(new Error('the disk is gone'))
    },
  })

/** Nodemailer 7 to 9 know no signal. */
const knowsSignals = createTransport({ jsonTransport: true }).getVersionString().startsWith('nodemailer (10.')

/** Waits for what may come after sendMail has settled. */
const later = () => wait(50)

describe.each(ways)('sendMail of %s', (_name, create) => {
  it.each<readonly [string, () => object]>([
    ['a raw path that is missing', () => ({ envelope, raw: { path: MISSING } })],
    ['a raw stream that fails', () => ({ envelope, raw: failing() })],
    ['a raw number', () => ({ envelope, raw: 5 })],
    ['a raw date', () => ({ envelope, raw: new Date() })],
    [
      'inline images in a missing file',
      () => ({ ...message, attachDataUrls: true, html: { path: MISSING } }),
    ],
    ['an attachment that is null', () => ({ ...message, attachments: [null] })],
    [
      'objects in place of html, with inline images',
      () => ({ ...message, attachDataUrls: true, html: Readable.from([{ a: 1 }]) }),
    ],
  ])('rejects %s as not sent', async (_what, make) => {
    const error = await create()
      .sendMail(make())
      .then(
        () => undefined,
        (reason: unknown) => reason,
      )
    expect(error).toBeInstanceOf(Error)
    expect(deliveryOutcome(error)).toBe('not-sent')
    await later()
    expect(server.mails).toEqual([])
  })

  it('rejects a file that is missing in an email that is signed', async () => {
    const dkim = { domainName: 'example.com', keySelector: 'a', privateKey: 'no key' }
    const sent = create({ onWarning: () => {} }).sendMail({
      ...message,
      attachments: [{ filename: 'a.txt', path: MISSING }],
      dkim,
    })
    await expect(sent).rejects.toThrow('ENOENT')
    await later()
  })

  it('rejects objects in place of text', async () => {
    const sent = create().sendMail({ ...message, text: Readable.from([{ a: 1 }]) })
    await expect(sent).rejects.toThrow('produced a value of type object')
    expect(server.mails).toEqual([])
  })

  it.each<readonly [string, object, string]>([
    ['a Message-ID that is a number', { messageId: 42 }, '<42>'],
    [
      'a Message-ID that is prepared',
      { headers: { 'Message-ID': { prepared: true, value: '<a@b>' } } },
      '<a@b>',
    ],
  ])('sends %s', async (_what, fields, messageId) => {
    const info = await create().sendMail({ ...message, ...fields } as object)
    expect(server.mails[0]!.header('Message-ID')).toBe(messageId)
    expect(info.messageId).toBe(messageId)
  })

  it('sends what a stream of texts gives', async () => {
    await create().sendMail({ ...message, text: Readable.from(['Hel', 'lo']) })
    expect(server.mails[0]!.body).toContain('Hello')
  })

  it.each<readonly [string, (content: Readable) => CompileOptions, object]>([
    ['while a store takes its time', (content) => ({ suppressions: waitFor(content) }), {}],
    ['of an email that preflight refuses', () => ({}), { postmark: { tag: ['no'] } }],
  ])('survives a file stream that fails %s', async (_when, toOptions, fields) => {
    const content = createReadStream(MISSING)
    const mail = { ...message, attachments: [{ filename: 'a.txt', content }], ...fields }
    const error = await create(toOptions(content))
      .sendMail(mail as object)
      .then(
        () => undefined,
        (reason: unknown) => reason,
      )
    expect(deliveryOutcome(error)).toBe('not-sent')
    await later()
    expect(server.mails).toEqual([])
  })

  it('ends the streams of an email that it refuses', async () => {
    const content = new Readable({ read() {} })
    const sent = create().sendMail({
      ...message,
      attachments: [{ filename: 'a.txt', content }],
      postmark: { tag: ['no'] },
    } as object)
    await expect(sent).rejects.toMatchObject({ code: 'ERR_POSTMARK_PREFLIGHT', outcome: 'not-sent' })
    expect(content.destroyed).toBe(true)
  })

  it('rejects a stream that was read before', async () => {
    const content = Readable.from(['once'])
    for await (const _chunk of content);
    const error = await create()
      .sendMail({ ...message, attachments: [{ filename: 'a.txt', content }] })
      .then(
        () => undefined,
        (reason: unknown) => reason,
      )
    expect(deliveryOutcome(error)).toBe('not-sent')
    expect(String(error)).toContain('was read or closed')
  })

  it('rejects an email whose signal was aborted before as not sent', async () => {
    if (_name.startsWith('attach') && !knowsSignals) return
    const content = createReadStream(MISSING)
    const sent = create().sendMail({
      ...message,
      attachments: [{ filename: 'a.txt', content }],
      signal: AbortSignal.abort(),
    } as object)
    const error = await sent.then(
      () => undefined,
      (reason: unknown) => reason,
    )
    expect(deliveryOutcome(error)).toBe('not-sent')
    await later()
  })

  it.each<readonly [string, (mail: object, done: (error?: Error | null) => void) => unknown]>([
    ['answers with an error', (_mail, done) => done(new Error('no'))],
    ['answers late with an error', (_mail, done) => setImmediate(done, new Error('no'))],
    [
      'throws',
      () => {
        throw new Error('no')
      },
    ],
    ['rejects', () => Promise.reject(new Error('no'))],
  ])('rejects as not sent where a plugin %s', async (_what, plugin) => {
    for (const step of ['compile', 'stream']) {
      const transporter = create({ suppressions: { find: () => [] } })
      transporter.use(step, plugin as never)
      const error = await transporter.sendMail(message).then(
        () => undefined,
        (reason: unknown) => reason,
      )
      expect(error).toMatchObject({ message: 'no', outcome: 'not-sent' })
    }
    expect(server.mails).toEqual([])
  })

  it('runs a callback in the scope and the storages that it was given in', async () => {
    const transporter = create()
    const storage = new AsyncLocalStorage<string>()
    const sent: Promise<void>[] = []
    for (let index = 0; index < 12; index++) {
      const tag = `request-${index}`
      sent.push(
        new Promise<void>((resolve, reject) => {
          storage.run(tag, () =>
            runWithPostmark({ tag }, () =>
              transporter.sendMail({ ...message, subject: tag }, (error) => {
                if (error) reject(error)
                else if (storage.getStore() !== tag)
                  reject(new Error(`${storage.getStore()} in place of ${tag}`))
                else
                  transporter.sendMail({ ...message, subject: tag }, (failed) =>
                    failed ? reject(failed) : resolve(),
                  )
              }),
            ),
          )
        }),
      )
    }
    await Promise.all(sent)
    expect(server.mails).toHaveLength(24)
    for (const mail of server.mails) expect(mail.header('X-PM-Tag')).toBe(mail.header('Subject'))
  })

  it('calls a callback once, and leaves what it throws to the process', async () => {
    const transporter = create()
    let calls = 0
    const seen = new Promise((resolve) => process.once('uncaughtException', resolve))
    const listeners = process.listeners('uncaughtException')
    for (const listener of listeners.slice(0, -1)) process.off('uncaughtException', listener)
    process.prependListener('uncaughtException', onUncaught)
    transporter.sendMail({ ...message, attachments: [null] } as never, () => {
      calls++
      queueMicrotask(() => {
        throw new Error('the callback is wrong')
      })
    })
    expect(await seen).toMatchObject({ message: 'the callback is wrong' })
    process.off('uncaughtException', onUncaught)
    for (const listener of listeners) process.on('uncaughtException', listener)
    uncaught.length = 0
    expect(calls).toBe(1)
  })
})

it('the plugin alone settles a message that cannot be composed', async () => {
  const transporter = connect()
  transporter.use('compile', createCompileStep({ suppressions: { find: () => [] } }))
  await expect(transporter.sendMail({ ...message, attachments: [null] } as never)).rejects.toThrow()
  await later()
})

it('an idle listener runs in no request', async () => {
  const transporter = attachPostmark(connect({ pool: true }))
  const storage = new AsyncLocalStorage<string>()
  const seen = new Promise((resolve) => transporter.on('idle', () => resolve(storage.getStore())))
  await storage.run('request', () => transporter.sendMail(message))
  expect(await seen).toBeUndefined()
})
