import { createReadStream, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { startSmtpServer } from '@postmark-smtp/testing'
import { createTransport, type Transporter } from 'nodemailer'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { createPostmarkTransport, deliveryOutcome } from '../index.js'
import { attachPostmark } from './attach.js'
import { createCompileStep } from './compile-step.js'
import type { CompileOptions } from './settings.js'

const TOKEN = '6f1c2b1e-8a34-4d3a-9a60-2f7f6c1f0a11'
const envelope = { from: 'a@example.com', to: ['b@example.com'] }
const HEAD = 'From: a@example.com\r\nTo: b@example.com\r\nSubject: raw\r\n\r\n'
const LINE = `${'x'.repeat(70)}\r\n`
const MEGABYTE = 1_048_576
const body = (bytes: number) => LINE.repeat(Math.ceil(bytes / LINE.length))
const LARGE = HEAD + body(2 * MEGABYTE)

let refusals = 0
let server: Awaited<ReturnType<typeof startSmtpServer>>
const folder = mkdtempSync(join(tmpdir(), 'postmark-smtp-'))
const path = join(folder, 'large.eml')
beforeAll(async () => {
  writeFileSync(path, LARGE)
  server = await startSmtpServer({
    auth: [{ user: TOKEN, pass: TOKEN }],
    onData: () => (refusals-- > 0 ? Object.assign(new Error('later'), { responseCode: 451 }) : undefined),
  })
})
afterAll(async () => {
  rmSync(folder, { recursive: true })
  await server.close()
})
const open: { close(): unknown }[] = []
beforeEach(() => {
  refusals = 0
  server.clear()
})
afterEach(async () => {
  for (const transporter of open.splice(0)) await transporter.close()
})

function connect(): Transporter {
  const { host, port, ca } = server
  const auth = { user: TOKEN, pass: TOKEN }
  const transporter = createTransport({ host, port, requireTLS: true, tls: { ca }, auth }) as Transporter
  open.push(transporter)
  return transporter
}

function connectOurs(options: CompileOptions = {}) {
  const { host, port, ca } = server
  const transporter = createPostmarkTransport({
    serverToken: TOKEN,
    host,
    ports: [port],
    tls: { ca },
    retry: { baseMs: 1 },
    ...options,
  })
  open.push(transporter)
  return transporter
}

/** A stream of a raw message, which counts what was taken from it. */
function createSource(bytes: number, head = HEAD) {
  const source = { taken: 0, stream: new Readable() }
  const chunk = Buffer.from(body(65_536))
  source.stream = new Readable({
    read() {
      const next = source.taken === 0 ? Buffer.from(head) : source.taken < bytes ? chunk : null
      source.taken += next?.length ?? 0
      this.push(next)
    },
  })
  return source
}

const ways: readonly (readonly [string, (options?: CompileOptions) => Transporter])[] = [
  [
    'the plugin',
    (options) => {
      const transporter = connect()
      transporter.use('compile', createCompileStep(options))
      return transporter
    },
  ],
  ['attachPostmark', (options) => attachPostmark(connect(), options)],
  ['createPostmarkTransport', connectOurs],
]

describe.each(ways)('a large raw message, with %s', (_name, create) => {
  it.each<readonly [string, () => unknown]>([
    ['a path', () => ({ path })],
    ['a stream', () => createReadStream(path)],
    ['an object with a stream', () => ({ content: createReadStream(path) })],
    ['a stream of texts', () => Readable.from([LARGE.slice(0, 100), LARGE.slice(100)])],
  ])('goes out whole, with our lines in front, from %s', async (_shape, raw) => {
    await create().sendMail({ envelope, raw: raw(), postmark: { tag: 'a' } } as object)
    expect(server.mails[0]!.raw.equals(Buffer.from(`X-PM-Tag: a\r\n${LARGE}`))).toBe(true)
  })

  it('goes out whole from a URL', async () => {
    const web = createServer((request, response) =>
      response.end(request.headers['x-key'] === '1' ? LARGE : ''),
    )
    await new Promise<void>((resolve) => web.listen(0, '127.0.0.1', resolve))
    const href = `http://127.0.0.1:${(web.address() as AddressInfo).port}/`
    const raw = { href, httpHeaders: { 'x-key': '1' } }
    await create().sendMail({ envelope, raw, postmark: { tag: 'a' } } as object)
    web.close()
    expect(server.mails[0]!.raw.equals(Buffer.from(`X-PM-Tag: a\r\n${LARGE}`))).toBe(true)
  })

  it('is read no further than its beginning before it is sent', async () => {
    const source = createSource(4 * MEGABYTE)
    let taken = 0
    const find = async () => {
      await new Promise((resolve) => setTimeout(resolve, 50))
      taken = source.taken
      return []
    }
    await create({ suppressions: { find } }).sendMail({ envelope, raw: source.stream })
    expect(taken).toBeGreaterThan(MEGABYTE)
    expect(taken).toBeLessThan(1.5 * MEGABYTE)
    expect(server.mails[0]!.raw.length).toBeGreaterThan(4 * MEGABYTE)
  })

  it.skipIf(_name === 'the plugin')('is broken off at the limit, as not sent', async () => {
    const source = createSource(64 * MEGABYTE)
    const error = await create()
      .sendMail({ envelope, raw: source.stream })
      .then(
        () => undefined,
        (reason: unknown) => reason,
      )
    expect(error).toMatchObject({ code: 'ERR_POSTMARK_PREFLIGHT', problems: [{ path: 'raw' }] })
    expect(deliveryOutcome(error)).toBe('not-sent')
    expect(source.taken).toBeLessThan(14 * MEGABYTE)
    expect(server.mails).toEqual([])
  })

  it.skipIf(_name === 'the plugin')('has no limit under preflight: warn', async () => {
    await create({ preflight: 'warn', onWarning: () => {} }).sendMail({
      envelope,
      raw: createSource(14 * MEGABYTE).stream,
    })
    expect(server.mails[0]!.raw.length).toBeGreaterThan(14 * MEGABYTE)
  })

  it('is refused at once where a file is too large', async () => {
    const sparse = join(folder, 'sparse.eml')
    writeFileSync(sparse, HEAD)
    truncateSync(sparse, 3 * 1024 ** 3)
    await expect(create().sendMail({ envelope, raw: { path: sparse } } as object)).rejects.toMatchObject({
      code: 'ERR_POSTMARK_PREFLIGHT',
      problems: [{ path: 'raw', found: 'has 3221225472 bytes' }],
    })
  })

  it.each(['throw', 'warn'] as const)(
    'must have headers that end, under preflight: %s',
    async (preflight) => {
      const source = createSource(8 * MEGABYTE, 'From: a@example.com\r\nSubject: raw\r\n')
      const sent = create({ preflight, onWarning: () => {} }).sendMail({ envelope, raw: source.stream })
      await expect(sent).rejects.toMatchObject({
        code: 'ERR_POSTMARK_PREFLIGHT',
        problems: [{ path: 'raw', limit: 'at most 1048576 bytes of headers' }],
      })
      expect(source.taken).toBeLessThan(1.5 * MEGABYTE)
    },
  )

  it('that fails in its midst is not sent', async () => {
    const raw = Readable.from(
      (async function* () {
        yield LARGE
        throw new Error('the disk is gone')
      })(),
    )
    const error = await create()
      .sendMail({ envelope, raw })
      .then(
        () => undefined,
        (reason: unknown) => reason,
      )
    expect(String(error)).toContain('the disk is gone')
    if (_name === 'createPostmarkTransport') expect(deliveryOutcome(error)).toBe('not-sent')
    expect(server.mails).toEqual([])
  })
})

it.each<readonly [string, () => unknown, number]>([
  ['a file', () => ({ path }), 1],
  ['a small stream', () => Readable.from([HEAD, 'Hello']), 1],
  ['a large stream', () => createReadStream(path), 0],
])('%s given as raw is tried again where that is possible', async (_what, raw, mails) => {
  refusals = 1
  const error = await connectOurs()
    .sendMail({ envelope, raw: raw(), postmark: { tag: 'a' } } as object)
    .then(
      () => undefined,
      (reason: unknown) => reason,
    )
  expect(server.mails).toHaveLength(mails)
  if (mails === 0) expect(error).toMatchObject({ outcome: 'deferred', attempts: 1 })
  else expect(server.mails[0]!.header('X-PM-Tag')).toBe('a')
})
