import { once } from 'node:events'
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { inspect } from 'node:util'
import { createTransport } from 'nodemailer'
import { ServerClient } from 'postmark'
import { afterEach, describe, expect, it } from 'vitest'
import { type Sandbox, type SandboxOptions, startSandbox } from '../sandbox.js'
import { createPostmarkServer } from '../server/postmark-server.js'
import { loopbackCertificate } from '../smtp/certificate.js'
import { createClock } from './clock.js'
import type { WebhookTriggers } from './webhook.js'
import { createWebhookSender } from './webhook-sender.js'

const MINUTE = 60_000
const cleanup: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of cleanup.splice(0).reverse()) await close()
})

interface Post {
  readonly method: string | undefined
  readonly path: string | undefined
  readonly headers: IncomingMessage['headers']
  readonly body: Record<string, unknown>
}

/** A server that notes each post and answers as `answer` says, by default 200. */
async function receiver(
  answer: (post: Post, response: ServerResponse) => void = (_, response) => response.end(),
) {
  const posts: Post[] = []
  const listener: RequestListener = async (request, response) => {
    let text = ''
    for await (const chunk of request) text += chunk
    const { method, url: path, headers } = request
    const post = { method, path, headers, body: text === '' ? {} : JSON.parse(text) }
    posts.push(post)
    answer(post, response)
  }
  const server = createServer(listener).listen(0, '127.0.0.1')
  await once(server, 'listening')
  cleanup.push(async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  })
  const { port } = server.address() as AddressInfo
  return { posts, url: `http://127.0.0.1:${port}/hook`, host: `127.0.0.1:${port}` }
}

/** Answers with each status in turn, then with 200. */
const statuses = (...list: number[]) => {
  const left = [...list]
  return (_: Post, response: ServerResponse) => void response.writeHead(left.shift() ?? 200).end()
}

async function start(options: SandboxOptions = {}): Promise<Sandbox> {
  const sandbox = await startSandbox(options)
  cleanup.push(sandbox.close)
  return sandbox
}

async function send(
  { host, port, token, outbox }: Sandbox,
  headers: Record<string, string> = {},
  to = 'ann@example.com',
) {
  const transport = createTransport({ host, port, ignoreTLS: true, auth: { user: token, pass: token } })
  const message = {
    from: 'shop@example.com',
    to,
    subject: 'Welcome',
    html: '<a href="https://example.com/a">a</a>',
  }
  await transport.sendMail({ ...message, headers })
  return outbox.at(-1)!
}

const only = (...types: (keyof WebhookTriggers)[]): WebhookTriggers =>
  Object.fromEntries(types.map((type) => [type, true]))

describe('what is posted', () => {
  it('is each kind of event, in Postmark’s shape', async () => {
    const { posts, url } = await receiver()
    const sandbox = await start({ webhooks: [{ url }] })
    const mail = await send(sandbox, { 'X-PM-Tag': 'welcome', 'X-PM-Metadata-order': '42' })
    sandbox.open(mail)
    await sandbox.click(mail)
    sandbox.bounce(mail, 'SoftBounce')
    sandbox.complain(mail)
    await sandbox.advance(0)
    const common = {
      MessageStream: 'outbound',
      MessageID: mail.messageId,
      Tag: 'welcome',
      Metadata: { Order: '42' },
    }
    const body = (type: string) => posts.find((post) => post.body.RecordType === type)?.body
    const bounce = { ServerID: 1, Email: 'ann@example.com', From: 'shop@example.com', DumpAvailable: true }
    expect(posts).toHaveLength(6)
    expect(body('Delivery')).toMatchObject({
      ...common,
      Recipient: 'ann@example.com',
      DeliveredAt: expect.any(String),
    })
    expect(body('Open')).toMatchObject({
      ...common,
      FirstOpen: true,
      Platform: 'Desktop',
      Geo: expect.any(Object),
    })
    expect(body('Click')).toMatchObject({
      ...common,
      OriginalLink: 'https://example.com/a',
      ClickLocation: 'HTML',
    })
    expect(body('Bounce')).toMatchObject({ ...common, ...bounce, Type: 'SoftBounce', TypeCode: 4096 })
    expect(body('SpamComplaint')).toMatchObject({ ...common, ...bounce, Inactive: true, CanActivate: false })
    expect(body('SubscriptionChange')).toMatchObject({ ...common, SuppressionReason: 'SpamComplaint' })
    expect(body('Bounce')).not.toHaveProperty('Content')
  })

  it('bears the headers of a Postmark post, a login and the headers of the webhook', async () => {
    const { posts, url } = await receiver()
    const sandbox = await start()
    const [first, second] = [
      sandbox.addWebhook({
        url,
        basicAuth: { username: 'us:er', password: 'pä ss' },
        headers: { 'X-Secret': 'a b' },
      }),
      sandbox.addWebhook({ url: url.replace('http://', 'http://us%40er:p%C3%A4@') }),
    ]
    await send(sandbox)
    await sandbox.advance(0)
    const [one, two] = posts
    expect(one).toMatchObject({
      method: 'POST',
      path: '/hook',
      headers: {
        'content-type': 'application/json',
        'content-length': String(Buffer.byteLength(JSON.stringify(one?.body))),
        'x-secret': 'a b',
        'x-pm-webhook-trace-id': expect.stringMatching(/^[0-9a-f-]{36}$/),
        'x-pm-retries-remaining': '9',
      },
    })
    const login = (post: Post | undefined) =>
      Buffer.from(post?.headers.authorization?.replace('Basic ', '') ?? '', 'base64').toString()
    expect(posts.map(login).sort()).toEqual(['us:er:pä ss', 'us@er:pä'])
    expect(one?.headers['x-pm-webhook-trace-id']).not.toBe(two?.headers['x-pm-webhook-trace-id'])
    // No secret in what a test prints or a log holds.
    expect(second.url).toBe(url)
    for (const shown of [sandbox.webhooks.list, sandbox.webhooks.attempts, [first, second]]) {
      expect(inspect(shown, { depth: 9 }) + JSON.stringify(shown)).not.toMatch(/pä|us:er|a b/)
    }
  })

  it('goes by stream and trigger, and holds the content where that is asked for', async () => {
    const { posts, url } = await receiver()
    const sandbox = await start({
      webhooks: [
        { url: `${url}/broadcast`, stream: 'broadcast', triggers: only('Delivery') },
        {
          url: `${url}/bounces`,
          triggers: { Bounce: { enabled: true, includeContent: true }, Delivery: false },
        },
        { url: `${url}/opens`, triggers: { Open: { enabled: true, postFirstOpenOnly: true } } },
      ],
    })
    const mail = await send(sandbox)
    await send(sandbox, { 'X-PM-Message-Stream': 'broadcast' })
    sandbox.open(mail)
    sandbox.open(mail)
    sandbox.bounce(mail, 'HardBounce')
    await sandbox.advance(0)
    const seen = posts.map(({ path, body }) => `${path} ${body.RecordType} ${body.MessageStream}`)
    expect(seen.sort()).toEqual([
      '/hook/bounces Bounce outbound',
      '/hook/broadcast Delivery broadcast',
      '/hook/opens Open outbound',
    ])
    expect(posts.find(({ body }) => body.Type)?.body.Content).toContain('Subject: Welcome')
  })

  it('is an SMTPApiError only where the server has them switched on', async () => {
    const { posts, url } = await receiver()
    const sandbox = await start({ webhooks: [{ url }] })
    sandbox.suppress('ann@example.com')
    await send(sandbox)
    await sandbox.advance(0)
    expect(sandbox.bounces).toMatchObject([{ type: 'SMTPApiError' }])
    expect(posts.map(({ body }) => body.RecordType)).toEqual(['SubscriptionChange'])
    const [withheld] = sandbox.events(sandbox.outbox[0]!)
    expect(sandbox.webhooks.isWithheld(withheld!)).toBe(true)
    const page = await fetch(`${sandbox.inboxUrl}mails/${sandbox.outbox[0]!.messageId}`)
    expect(await page.text()).toContain('Not posted, because EnableSmtpApiErrorHooks is off')

    const client = new ServerClient(sandbox.token, { requestHost: sandbox.apiHost, useHttps: false })
    await client.editServer({ EnableSmtpApiErrorHooks: true })
    await send(sandbox)
    await sandbox.advance(0)
    expect(posts[1]?.body).toMatchObject({ RecordType: 'Bounce', Type: 'SMTPApiError', TypeCode: 100007 })
    expect(sandbox.outbox.map((mail) => sandbox.webhooks.isWithheld(sandbox.events(mail)[0]!))).toEqual([
      true,
      false,
    ])
  })

  it('is not withheld where no webhook wants it', async () => {
    const { url } = await receiver()
    const sandbox = await start({ webhooks: [{ url, triggers: only('Delivery') }] })
    const mail = await send(sandbox, { 'X-PM-Message-Stream': 'nowhere' })
    expect(mail.verdict.outcome).toBe('refused')
    expect(sandbox.webhooks.isWithheld(sandbox.events(mail)[0]!)).toBe(false)
    const page = await fetch(`${sandbox.inboxUrl}mails/${mail.messageId}`)
    expect(await page.text()).not.toContain('Not posted')
  })
})

describe('retries', () => {
  it('come after 1, 5 and 15 minutes, then 1, 5, 10, 10, 10 and 15, with one trace ID, and end', async () => {
    const { posts, url } = await receiver((_, response) => void response.writeHead(500).end())
    const sandbox = await start({ webhooks: [{ url, triggers: only('Delivery') }] })
    const mail = await send(sandbox)
    await sandbox.advance(120 * MINUTE)
    const { attempts } = sandbox.webhooks
    expect(attempts).toHaveLength(10)
    const gaps = attempts
      .slice(1)
      .map(({ at }, i) => Math.round((at.getTime() - attempts[i]!.at.getTime()) / MINUTE))
    expect(gaps).toEqual([1, 5, 15, 1, 5, 10, 10, 10, 15])
    expect(posts.map(({ headers }) => headers['x-pm-retries-remaining'])).toEqual([...'9876543210'])
    expect(new Set(posts.map(({ headers }) => headers['x-pm-webhook-trace-id'])).size).toBe(1)
    expect(new Set(posts.map(({ body }) => JSON.stringify(body))).size).toBe(1)
    expect(attempts.map(({ outcome }) => outcome)).toEqual([...Array(9).fill('retry'), 'dropped'])
    expect(attempts.map(({ attempt }) => attempt)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
    expect(sandbox.webhooks.attemptsOf(sandbox.events(mail)[0]!)).toEqual(attempts)
  })

  it.each([
    [[500, 503], 3, 'done'],
    [[408, 429], 3, 'done'],
    [[204], 1, 'done'],
    [[304], 2, 'done'],
    [[400], 1, 'dropped'],
    [[401], 1, 'dropped'],
    [[403], 1, 'dropped'],
    [[404], 1, 'dropped'],
    [[422], 1, 'dropped'],
    [[500, 401], 2, 'dropped'],
  ])('after %j: %i posts, then %s', async (list, count, outcome) => {
    const { posts, url } = await receiver(statuses(...list))
    const sandbox = await start({ webhooks: [{ url, triggers: only('Delivery') }] })
    await send(sandbox)
    await sandbox.advance(120 * MINUTE)
    expect(posts).toHaveLength(count)
    expect(sandbox.webhooks.attempts.at(-1)).toMatchObject({ attempt: count, outcome })
  })

  it('say when the next one comes, and why there was no reply', async () => {
    const { url } = await receiver((_, response) => response.destroy())
    const sandbox = await start({ webhooks: [{ url, triggers: only('Delivery') }] })
    await send(sandbox)
    await sandbox.advance(0)
    const [attempt] = sandbox.webhooks.attempts
    expect(attempt).toMatchObject({ outcome: 'retry', error: 'socket hang up', url, recordType: 'Delivery' })
    expect(attempt).not.toHaveProperty('status')
    const wait = attempt!.nextAt!.getTime() - attempt!.at.getTime()
    expect(wait).toBeGreaterThanOrEqual(MINUTE)
    expect(wait).toBeLessThan(2 * MINUTE)
  })

  it('go on when a server comes up that was not there', async () => {
    const gone = await receiver()
    await cleanup.pop()?.()
    const sandbox = await start({ webhooks: [{ url: gone.url, triggers: only('Delivery') }] })
    await send(sandbox)
    await sandbox.advance(0)
    expect(sandbox.webhooks.attempts).toMatchObject([
      { outcome: 'retry', error: expect.stringContaining('ECONNREFUSED') },
    ])
    const server = createServer((_, response) => void response.end())
    server.listen(Number(new URL(gone.url).port), '127.0.0.1')
    cleanup.push(() => new Promise((resolve) => server.close(resolve)))
    await once(server, 'listening')
    await sandbox.advance(MINUTE)
    expect(sandbox.webhooks.attempts.at(-1)).toMatchObject({ outcome: 'done', attempt: 2, status: 200 })
  })

  it('end with the webhook that was removed, and with the emails that were cleared', async () => {
    const { posts, url } = await receiver((_, response) => void response.writeHead(500).end())
    const sandbox = await start()
    const { id } = sandbox.addWebhook({ url, triggers: only('Delivery') })
    await send(sandbox)
    await sandbox.advance(0)
    expect(sandbox.webhooks.remove(id)).toBe(true)
    await sandbox.advance(10 * MINUTE)
    expect(posts).toHaveLength(1)

    sandbox.addWebhook({ url, triggers: only('Delivery') })
    await send(sandbox)
    await sandbox.advance(0)
    sandbox.clear()
    await sandbox.advance(10 * MINUTE)
    expect(posts).toHaveLength(2)
    expect(sandbox.webhooks.attempts).toEqual([])
  })
})

describe('redirects', () => {
  it('are followed; the POST goes on after 307, and a login stays with its host', async () => {
    const target = await receiver()
    const { url } = await receiver(({ path }, response) => {
      const location = path === '/hook' ? '/next' : target.url
      response.writeHead(307, { Location: location }).end()
    })
    const basicAuth = { username: 'user', password: 'pass' }
    const sandbox = await start({ webhooks: [{ url, basicAuth, triggers: only('Delivery') }] })
    await send(sandbox)
    await sandbox.advance(0)
    expect(target.posts).toMatchObject([{ method: 'POST', body: { RecordType: 'Delivery' } }])
    expect(target.posts[0]?.headers).not.toHaveProperty('authorization')
    expect(sandbox.webhooks.attempts).toMatchObject([{ outcome: 'done', status: 200, url }])
  })

  it('become a GET after 302, and end after ten', async () => {
    const { posts, url } = await receiver(
      (_, response) => void response.writeHead(302, { Location: '/again' }).end(),
    )
    const sandbox = await start({ webhooks: [{ url, triggers: only('Delivery') }] })
    await send(sandbox)
    await sandbox.advance(0)
    expect(posts.map(({ method }) => method)).toEqual(['POST', ...Array(10).fill('GET')])
    expect(sandbox.webhooks.attempts).toMatchObject([{ outcome: 'retry', status: 302 }])
  })
})

describe('posts', () => {
  it('hold up neither SMTP nor the close, while a receiver says nothing', async () => {
    const { posts, url } = await receiver(() => {})
    const sandbox = await startSandbox({ webhooks: [{ url, triggers: only('Delivery') }] })
    for (let mail = 1; mail <= 15; mail += 1) await send(sandbox)
    expect(sandbox.outbox).toHaveLength(15)
    await expect.poll(() => posts.length).toBe(10)
    await sandbox.close()
    expect(posts).toHaveLength(10)
    expect(sandbox.webhooks.attempts).toEqual([])
  })

  it('that get no reply in time are retried', async () => {
    const { posts, url } = await receiver(() => {})
    const clock = createClock()
    const server = createPostmarkServer({ now: clock.now })
    // Long enough for a post to arrive on a busy machine: it counts as made.
    const sender = createWebhookSender(server, clock, { timeoutMs: 500 })
    cleanup.push(async () => sender.close())
    sender.add({ url })
    server.suppress('ann@example.com')
    await clock.advance(MINUTE)
    const noReply = { outcome: 'retry', error: 'no reply within 500 ms' }
    expect(sender.attempts).toMatchObject([noReply, noReply])
    expect(posts).toHaveLength(2)
  })

  it.each([
    ['is not whole in time', () => {}, 500, 'no reply within 500 ms'],
    ['breaks off', (response: ServerResponse) => response.destroy(), 30_000, 'aborted'],
  ])('whose reply %s are retried', async (_, go, timeoutMs, error) => {
    const { url } = await receiver((_, response) =>
      response.writeHead(200).write('a part', () => go(response)),
    )
    const clock = createClock()
    const server = createPostmarkServer({ now: clock.now })
    const sender = createWebhookSender(server, clock, { timeoutMs })
    cleanup.push(async () => sender.close())
    sender.add({ url })
    server.suppress('ann@example.com')
    await clock.advance(0)
    expect(sender.attempts).toMatchObject([{ outcome: 'retry', error }])
  })

  it('are not made over TLS that nobody vouches for', async () => {
    const server = createHttpsServer(await loopbackCertificate(), (_, response) => response.end()).listen(
      0,
      '127.0.0.1',
    )
    await once(server, 'listening')
    cleanup.push(() => new Promise((resolve) => server.close(resolve)))
    const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}/hook`
    const sandbox = await start({ webhooks: [{ url }] })
    sandbox.suppress('ann@example.com')
    await sandbox.advance(0)
    expect(sandbox.webhooks.attempts).toMatchObject([
      { outcome: 'retry', error: expect.stringContaining('self-signed') },
    ])
  })

  it('are dropped where ten thousand are pending already', async () => {
    const { url } = await receiver(() => {})
    const sandbox = await startSandbox({ webhooks: [{ url, triggers: only('Open') }] })
    const mail = await send(sandbox)
    for (let count = 0; count < 10_002; count += 1) sandbox.open(mail)
    const dropped = { outcome: 'dropped', error: 'too many posts are pending' }
    expect(sandbox.webhooks.attempts).toMatchObject([dropped, dropped])
    await sandbox.close()
  })

  it('tell a listener of each attempt', async () => {
    const { url } = await receiver(statuses(500))
    const sandbox = await start({ webhooks: [{ url, triggers: only('Delivery') }] })
    const seen: string[] = []
    const stop = sandbox.webhooks.onAttempt(({ outcome }) => seen.push(outcome))
    await send(sandbox)
    await sandbox.advance(MINUTE)
    stop()
    await send(sandbox)
    await sandbox.advance(0)
    expect(seen).toEqual(['retry', 'done'])
    expect(sandbox.webhooks.attempts).toHaveLength(3)
  })
})

it.each([
  [{ url: 'ftp://user:secret@example.com/' }, 'http or https'],
  [{ url: '/hook' }, 'http or https'],
  [{ url: 'http://127.0.0.1/', trigger: {} }, 'Did you mean "triggers"?'],
  [{ url: 'http://127.0.0.1/', triggers: { Opened: true } }, 'Did you mean "Open"?'],
  [{ url: 'http://127.0.0.1/', triggers: { Open: { enable: true } } }, 'Did you mean "enabled"?'],
  [{ url: 'http://127.0.0.1/', stream: 'inbound' }, 'outbound, broadcast'],
  [{ url: 'http://127.0.0.1/', headers: { 'a b': 'c' } }, '"a b"'],
  [{ url: 'http://127.0.0.1/', headers: { a: 'b\r\nc' } }, '"a"'],
])('refuses the webhook %j', async (webhook, why) => {
  const sandbox = await start()
  const add = () => sandbox.addWebhook(webhook as never)
  expect(add).toThrow(expect.objectContaining({ code: 'ERR_POSTMARK_OPTIONS' }))
  expect(add).toThrow(why)
  expect(add).not.toThrow('secret')
})
