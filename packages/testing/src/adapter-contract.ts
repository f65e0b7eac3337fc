import { AsyncResource } from 'node:async_hooks'
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { createBarrier } from './barrier.js'
import { decodeWords } from './decode-words.js'
import type { ReceivedMail } from './received-mail.js'
import { type SmtpServer, startSmtpServer } from './smtp-server.js'

/** The Postmark fields that the contract uses. */
export interface ContractFields {
  readonly tag?: string
  readonly metadata?: Readonly<Record<string, string>>
}

/** A request as a context function and a guard see it. The request objects of Express and Fastify have this shape. */
export interface ContractRequest {
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  user?: { readonly id: string }
}

/** The parts from which an adapter's test builds its application. Each has its place in the framework. */
export interface ContractApp {
  /** The server to send to: `url` for createPostmarkTransport, or `host` and `port` (no TLS; any login is accepted). */
  readonly smtp: { readonly host: string; readonly port: number; readonly url: string }
  /** The context function of the whole application. */
  readonly context: (request: ContractRequest) => ContractFields
  /** Sets `request.user`. Call it in a middleware or guard that runs after the context. */
  readonly authenticate: (request: ContractRequest) => void
  /** The fields that apply only to GET /route. */
  readonly routeFields: ContractFields
  /**
   * The handler of GET /mail, GET /route, POST /json and POST /multipart. Answer with the value that it resolves to.
   * It may reject: let the framework answer 500.
   * @param body the parsed body; for a multipart body, its text fields
   */
  readonly handle: (request: ContractRequest, body?: unknown) => Promise<string>
  /** The handler of GET /stream. Pass it a function that writes a part of the answer, and end the answer after it. */
  readonly stream: (write: (part: string) => unknown) => Promise<void>
}

/** A running application. */
export interface RunningApp {
  /** @example 'http://127.0.0.1:41234' */
  readonly url: string
  /** Sends through the transporter of the application. */
  sendMail(message: object): Promise<unknown>
  /** Stops listening and closes the transporter. */
  close(): Promise<unknown>
}

/** The part of core that the contract uses. The test passes it, because this package depends on no other package here. */
export interface ContractCore {
  runWithPostmark<R>(fields: ContractFields, fn: () => R, options?: { readonly inherit?: boolean }): R
  currentPostmark(): object | undefined
  updatePostmark(fields: ContractFields): boolean
}

/** An adapter under test. */
export interface ContractAdapter {
  /** @example 'Express 5' */
  readonly name: string
  readonly core: ContractCore
  start(app: ContractApp): Promise<RunningApp>
}

const message = { from: 'shop@example.com', to: 'ann@example.com', text: 'Hello' }
const bySubject = (subject: string) => (mail: ReceivedMail) => mail.header('subject') === subject
const postmarkLines = (mail: ReceivedMail) =>
  mail.headerLines.filter((line) => /^x-pm-/i.test(line)).toSorted()

/**
 * Tests what every adapter promises, over real HTTP and real SMTP.
 * @example runAdapterContract({ name: 'Express 5', core, start: async ({ context, handle, smtp }) => … })
 */
export function runAdapterContract({ name, core, start }: ContractAdapter): void {
  describe(`the adapter contract: ${name}`, () => {
    let server: SmtpServer
    let app: RunningApp
    let handle: ContractApp['handle']
    let stream: ContractApp['stream']

    beforeAll(async () => {
      server = await startSmtpServer()
      const { host, port } = server
      app = await start({
        smtp: { host, port, url: `postmark+smtp://${randomUUID()}@${host}:${port}?plaintext=1` },
        context: readContext,
        authenticate,
        routeFields: { tag: 'route', metadata: { route: 'yes' } },
        handle: (request, body) => handle(request, body),
        stream: (write) => stream(write),
      })
    })
    afterAll(async () => {
      await app?.close()
      await server?.close()
    })
    beforeEach(() => {
      server.clear()
      handle = async () => send('mail')
    })

    async function send(subject: string, more: object = {}): Promise<string> {
      await app.sendMail({ ...message, subject, ...more })
      return subject
    }
    async function request(path: string, init: RequestInit = {}): Promise<string> {
      const response = await fetch(app.url + path, init)
      const text = await response.text()
      if (!response.ok) throw new Error(`${response.status} ${text}`)
      return text
    }
    const get = (path: string, headers: Record<string, string> = {}) => request(path, { headers })
    const received = (subject: string) => {
      const mail = server.mails.find(bySubject(subject))
      return mail ? postmarkLines(mail) : `no email "${subject}"`
    }

    it('brings the context of the request to the wire', async () => {
      expect(await get('/mail', { 'x-tag': 'signup', 'x-note': 'first' })).toBe('mail')
      expect(received('mail')).toEqual(['X-PM-Metadata-note: first', 'X-PM-Tag: signup'])
    })

    it('adds nothing outside a request', async () => {
      await get('/mail', { 'x-tag': 'signup' })
      await send('outside')
      expect(received('outside')).toEqual([])
    })

    it('keeps two interleaved requests apart', async () => {
      const both = createBarrier(2)
      handle = async ({ headers }) => {
        await both.arrive()
        await send(`one of ${headers['x-tag']}`)
        return send(`two of ${headers['x-tag']}`)
      }
      await Promise.all([get('/mail', { 'x-tag': 'a', 'x-note': 'a' }), get('/mail', { 'x-tag': 'b' })])
      expect(received('one of a')).toEqual(['X-PM-Metadata-note: a', 'X-PM-Tag: a'])
      expect(received('two of a')).toEqual(['X-PM-Metadata-note: a', 'X-PM-Tag: a'])
      expect(received('one of b')).toEqual(['X-PM-Tag: b'])
      expect(received('two of b')).toEqual(['X-PM-Tag: b'])
    })

    it('swaps none of 200 tags in 200 concurrent requests', async () => {
      const all = createBarrier(200)
      handle = async ({ headers }) => {
        await all.arrive()
        return send(String(headers['x-tag']))
      }
      const tags = Array.from({ length: 200 }, (_, index) => `tag-${index}`)
      await Promise.all(tags.map((tag) => get('/mail', { 'x-tag': tag })))
      expect(
        server.mails.map((mail) => [mail.header('subject'), mail.header('x-pm-tag')]).toSorted(),
      ).toEqual(tags.map((tag) => [tag, tag]).toSorted())
    })

    it('lets an explicit header, then the message, win over the context', async () => {
      handle = async () => {
        await send('message', { postmark: { tag: 'message', metadata: { NOTE: 'message' } } })
        return send('header', { headers: { 'X-PM-Tag': 'header' }, postmark: { tag: 'message' } })
      }
      await get('/mail', { 'x-tag': 'request', 'x-note': 'request' })
      expect(received('message')).toEqual(['X-PM-Metadata-NOTE: message', 'X-PM-Tag: message'])
      expect(received('header')).toEqual(['X-PM-Metadata-note: request', 'X-PM-Tag: header'])
    })

    it('lets a nested scope override the outer one, then restores it', async () => {
      handle = async () => {
        await core.runWithPostmark({ tag: 'inner' }, () => send('inside'))
        return send('after')
      }
      await get('/route', { 'x-tag': 'request', 'x-note': 'request' })
      const outer = ['X-PM-Metadata-note: request', 'X-PM-Metadata-route: yes']
      expect(received('inside')).toEqual([...outer, 'X-PM-Tag: inner'])
      expect(received('after')).toEqual([...outer, 'X-PM-Tag: route'])
    })

    it('opens the fields of a route for only that route', async () => {
      await get('/route', { 'x-tag': 'request' })
      expect(received('mail')).toEqual(['X-PM-Metadata-route: yes', 'X-PM-Tag: route'])
      server.clear()
      await get('/mail', { 'x-tag': 'request' })
      expect(received('mail')).toEqual(['X-PM-Tag: request'])
    })

    it('keeps what a handler adds, until the request ends', async () => {
      handle = async () => {
        expect(core.updatePostmark({ metadata: { order: '7' } })).toBe(true)
        await new Promise(setImmediate)
        return send('updated')
      }
      await get('/mail', { 'x-tag': 'request' })
      handle = () => send('next')
      await get('/mail', { 'x-tag': 'request' })
      expect(received('updated')).toEqual(['X-PM-Metadata-order: 7', 'X-PM-Tag: request'])
      expect(received('next')).toEqual(['X-PM-Tag: request'])
    })

    it('sees a user that was set after the context', async () => {
      await get('/mail', { authorization: 'u1' })
      expect(received('mail')).toEqual(['X-PM-Metadata-user-id: u1'])
    })

    // Both are larger than one read of a socket, so the parser is left and entered again.
    it('keeps the context after a JSON body', async () => {
      handle = (_request, body) => send((body as { subject: string }).subject)
      await request('/json', {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'x-tag': 'json' },
        body: JSON.stringify({ subject: 'from JSON', filler: 'x'.repeat(90_000) }),
      })
      expect(received('from JSON')).toEqual(['X-PM-Tag: json'])
    })

    it('keeps the context after a multipart body', async () => {
      handle = (_request, body) => send((body as { subject: string }).subject)
      const body = new FormData()
      body.set('subject', 'from a form')
      body.set('file', new Blob(['x'.repeat(300_000)]), 'file.txt')
      await request('/multipart', { method: 'POST', headers: { 'x-tag': 'multipart' }, body })
      expect(received('from a form')).toEqual(['X-PM-Tag: multipart'])
    })

    it('keeps the context while an answer streams', async () => {
      const firstPartRead = createBarrier(2)
      stream = async (write) => {
        write('first ')
        await firstPartRead.arrive()
        await send('between the parts')
        write('second')
      }
      const response = await fetch(`${app.url}/stream`, { headers: { 'x-tag': 'stream' } })
      const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader()
      expect(await reader.read()).toEqual({ done: false, value: 'first ' })
      await firstPartRead.arrive()
      expect(await reader.read()).toEqual({ done: false, value: 'second' })
      expect(await reader.read()).toMatchObject({ done: true })
      expect(received('between the parts')).toEqual(['X-PM-Tag: stream'])
    })

    it('keeps the context of an email that is sent after the answer', async () => {
      const answered = createBarrier(2)
      let later: Promise<string> | undefined
      handle = async () => {
        later = answered.arrive().then(() => send('later'))
        return 'answered'
      }
      expect(await get('/route', { 'x-tag': 'request', 'x-note': 'request' })).toBe('answered')
      await answered.arrive()
      await later
      expect(received('later')).toEqual([
        'X-PM-Metadata-note: request',
        'X-PM-Metadata-route: yes',
        'X-PM-Tag: route',
      ])
    })

    it('keeps the context of a request whose client has gone away', async () => {
      const waiting = createBarrier(2)
      const gone = createBarrier(2)
      let sent: Promise<string> | undefined
      handle = async () => {
        await waiting.arrive()
        sent = gone.arrive().then(() => send('for nobody'))
        return sent
      }
      const client = new AbortController()
      const headers = { 'x-tag': 'gone', 'x-note': 'gone' }
      const asked = fetch(`${app.url}/mail`, { headers, signal: client.signal })
      await waiting.arrive()
      client.abort()
      await expect(asked).rejects.toThrow('aborted')
      handle = () => send('meanwhile')
      await get('/mail', { 'x-tag': 'next' })
      await gone.arrive()
      await sent
      expect(received('meanwhile')).toEqual(['X-PM-Tag: next'])
      expect(received('for nobody')).toEqual(['X-PM-Metadata-note: gone', 'X-PM-Tag: gone'])
    })

    it('keeps two applications of one process apart, even if one asks the other', async () => {
      const { host, port } = server
      const second = await start({
        smtp: { host, port, url: `postmark+smtp://${randomUUID()}@${host}:${port}?plaintext=1` },
        context: ({ headers }) => ({ tag: `second of ${headers['x-tag']}` }),
        authenticate,
        routeFields: {},
        handle: async () => {
          await second.sendMail({ ...message, subject: 'of the second' })
          return 'second'
        },
        stream: async () => {},
      })
      try {
        handle = async ({ headers }) => {
          await fetch(`${second.url}/mail`, { headers: { 'x-tag': String(headers['x-tag']) } })
          return send('of the first')
        }
        await get('/mail', { 'x-tag': 'a', 'x-note': 'a' })
        expect(received('of the second')).toEqual(['X-PM-Tag: second of a'])
        expect(received('of the first')).toEqual(['X-PM-Metadata-note: a', 'X-PM-Tag: a'])
      } finally {
        await second.close()
      }
    })

    it('leaves a shared, frozen headers object as it is', async () => {
      const headers = Object.freeze({ 'X-Shared': 'yes' })
      handle = (incoming) => send(`mail of ${incoming.headers['x-tag']}`, { headers })
      await get('/mail', { 'x-tag': 'a' })
      await get('/mail', { 'x-tag': 'b' })
      expect(headers).toEqual({ 'X-Shared': 'yes' })
      expect(server.mails.map((mail) => mail.header('x-shared'))).toEqual(['yes', 'yes'])
      expect(received('mail of a')).toEqual(['X-PM-Tag: a'])
      expect(received('mail of b')).toEqual(['X-PM-Tag: b'])
    })

    it('loses no email to a context function that throws', async () => {
      await get('/route', { 'x-note': '%', 'x-tag': 'request' })
      expect(received('mail')).toEqual(['X-PM-Metadata-route: yes', 'X-PM-Tag: route'])
    })

    it('serves the next request after a handler has thrown', async () => {
      handle = async () => {
        core.updatePostmark({ metadata: { failed: 'yes' } })
        throw new Error('a fault of the handler')
      }
      await expect(get('/mail', { 'x-tag': 'failing', 'x-note': 'failing' })).rejects.toThrow('500')
      handle = () => send('next')
      await get('/mail', { 'x-tag': 'next' })
      expect(received('next')).toEqual(['X-PM-Tag: next'])
      await send('outside')
      expect(received('outside')).toEqual([])
    })

    it('keeps a job apart from the request in which its worker was born', async () => {
      let worker: AsyncResource | undefined
      handle = async ({ headers }) => {
        worker ??= new AsyncResource('worker')
        const job = JSON.stringify({ fields: core.currentPostmark(), subject: `job of ${headers['x-tag']}` })
        return worker.runInAsyncScope(() => {
          const { fields, subject } = JSON.parse(job)
          return core.runWithPostmark(fields, () => send(subject), { inherit: false })
        })
      }
      await get('/mail', { 'x-tag': 'a', 'x-note': 'a' })
      await get('/mail', { 'x-tag': 'b' })
      expect(received('job of a')).toEqual(['X-PM-Metadata-note: a', 'X-PM-Tag: a'])
      expect(received('job of b')).toEqual(['X-PM-Tag: b'])
    })

    it.each([
      ['line breaks', 'a\r\nBcc: eve@example.com\r\n\r\nbody', 'a Bcc: eve@example.com body'],
      ['a header and a NUL', 'a\nX-PM-Tag: eve\0', 'a X-PM-Tag: eve'],
      ['10 kB', 'x'.repeat(10_000), 'x'.repeat(80)],
      ['letters outside ASCII', 'J\u00fcrgen \u6771\u4eac', 'J\u00fcrgen \u6771\u4eac'],
      ['2000 letters outside ASCII', '\u00fc'.repeat(2000), '\u00fc'.repeat(80)],
      ['half a character', `${'x'.repeat(79)}\u{1f600}`, 'x'.repeat(79)],
    ])('lets no client inject: %s', async (_title, note, arrives) => {
      await get('/mail', { 'x-tag': 'safe', 'x-note': encodeURIComponent(note) })
      expectOnly({ tag: 'safe', note: arrives })
    })

    it('lets no client inject: 10 kB and bytes outside ASCII as they came in the header', async () => {
      await get('/mail', { 'x-tag': 'safe', 'x-raw': '\u00e9'.repeat(10_000) })
      expectOnly({ tag: 'safe', raw: '\u00e9'.repeat(80) })
    })

    it('lets no client inject: a tag of 5 kB with line breaks', async () => {
      await get('/mail', { 'x-tag': encodeURIComponent('tag\r\nBcc: eve@example.com\r\n').repeat(180) })
      const { tag } = readPostmark(server.mails[0]!)
      expect(tag).toMatch(/^(tag Bcc: eve@example\.com )+/)
      expectOnly({ tag: tag! })
      expect(tag!.length).toBeLessThanOrEqual(1000)
    })

    it('lets no client inject: a metadata key with a line break', async () => {
      await get('/mail', { 'x-tag': 'safe', 'x-key': encodeURIComponent('a: b\r\nBcc') })
      expectOnly({ tag: 'safe' })
    })

    /** Expects that one email arrived, only for Ann, with these Postmark fields, each on lines of printable ASCII. */
    function expectOnly(fields: Readonly<Record<string, string>>): void {
      expect(server.mails).toHaveLength(1)
      const [mail] = server.mails
      expect(mail!.envelope.to).toEqual(['ann@example.com'])
      expect(mail!.header('bcc')).toBeUndefined()
      expect(mail!.body.trim()).toBe('Hello')
      expect(readPostmark(mail!)).toEqual(fields)
      for (const line of mail!.headerLines) expect(line).toMatch(/^[\t -~]+$/)
    }
  })
}

/** Does what an application's context function does: takes values from the request, as they arrived. */
function readContext({ headers, user }: ContractRequest): ContractFields {
  const read = (name: string) => {
    const value = headers[name]
    return value === undefined ? {} : { [name.slice(2)]: decodeURIComponent(String(value)) }
  }
  const { key, ...metadata } = { ...read('x-note'), ...read('x-key'), ...read('x-raw') } as Record<
    string,
    string
  >
  return {
    ...read('x-tag'),
    metadata: { ...metadata, ...(key && { [key]: 'key' }), ...(user && { 'user-id': user.id }) },
  }
}

function authenticate(request: ContractRequest): void {
  const id = request.headers.authorization
  if (typeof id === 'string') request.user = { id }
}

/** The Postmark headers of an email by their short names, decoded: note for X-PM-Metadata-note. */
function readPostmark(mail: ReceivedMail): Record<string, string> {
  const fields = mail.headers.filter(({ name }) => /^x-pm-/i.test(name))
  return Object.fromEntries(
    fields.map(({ name, value }) => [
      name.replace(/^X-PM-(Metadata-)?/, '').replace('Tag', 'tag'),
      decodeWords(value),
    ]),
  )
}
