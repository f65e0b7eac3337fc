import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import {
  API_ERRORS,
  createPostmarkTransport,
  type PostmarkFields,
  runWithPostmark,
} from '@postmark-smtp/core'
import { type Sandbox, type SandboxMail, type SandboxOptions, startSandbox } from '@postmark-smtp/sandbox'
import { ServerClient } from 'postmark'
import { afterEach, describe, expect, it } from 'vitest'
import {
  createWebhookHandler,
  toNodeListener,
  type WebhookEvent,
  type WebhookHandler,
  type WebhookHandlers,
} from './index.js'

const MINUTE = 60_000
const ANN = 'ann@example.com'
const OLD = { username: 'postmark', password: 'old-7c9e1a3b5d' }
const NEW = { username: 'postmark', password: 'new-2f4a6c8e0b' }

const cleanup: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of cleanup.splice(0).reverse()) await close()
})

/** An HTTP server for the webhook; `receiver.handle` can be replaced. */
async function startReceiver(first: WebhookHandler) {
  const receiver = { handle: first, url: '' }
  const server = createServer(toNodeListener((request, info) => receiver.handle(request, info)))
  await once(server.listen(0, '127.0.0.1'), 'listening')
  cleanup.push(async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  })
  receiver.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/webhooks/postmark`
  return receiver
}

/** Application, Postmark, and the webhook between them, which has the old secret. */
async function start(on: WebhookHandlers, options: SandboxOptions = {}) {
  const handler = (more: object = {}) =>
    createWebhookHandler({ auth: { basic: OLD }, on, onError: () => {}, ...more })
  const receiver = await startReceiver(handler())
  const sandbox = await startSandbox({ settings: { enableSmtpApiErrorHooks: true }, ...options })
  cleanup.push(sandbox.close)
  for (const stream of ['outbound', 'broadcast']) {
    const triggers = {
      ...{ Delivery: true, Open: true, Click: true, SpamComplaint: true, SubscriptionChange: true },
      Bounce: { enabled: true, includeContent: true },
    }
    sandbox.addWebhook({ url: receiver.url, stream, basicAuth: OLD, triggers })
  }
  const transporter = createPostmarkTransport({ url: sandbox.url, correlationId: true })
  cleanup.push(() => transporter.close())
  const send = async (to: string = ANN, postmark: PostmarkFields = {}) => {
    const { envelope, postmark: sent } = await transporter.sendMail({
      ...{ from: 'shop@example.com', to, subject: 'Hi', text: 'See https://example.com/a', postmark },
    })
    expect(envelope.to).toEqual([to])
    return { mail: sandbox.outbox.at(-1)!, correlationId: sent.correlationId! }
  }
  const outcomes = () => sandbox.webhooks.attempts.map(({ status, outcome }) => `${status} ${outcome}`)
  return { sandbox, receiver, handler, transporter, send, outcomes }
}

describe('each kind of event comes round to the email that caused it', () => {
  type Act = (sandbox: Sandbox, mail: SandboxMail) => unknown
  const bounce =
    (type: Parameters<Sandbox['bounce']>[1]): Act =>
    (sandbox, mail) =>
      sandbox.bounce(mail, type)
  const silenced = { kind: 'bounced', recordType: 'SubscriptionChange', severity: 'hard' }

  it.each<[string, { suppressed?: boolean; act?: Act }, object[]]>([
    ['delivered', {}, []],
    [
      'bounced hard',
      { act: bounce('HardBounce') },
      [{ kind: 'bounced', severity: 'hard', bounceType: 'HardBounce', inactive: true }, silenced],
    ],
    [
      'bounced soft',
      { act: bounce('SoftBounce') },
      [{ kind: 'bounced', severity: 'soft', bounceType: 'SoftBounce', inactive: false }],
    ],
    [
      'bounced for a time',
      { act: bounce('Transient') },
      [{ kind: 'bounced', severity: 'transient', bounceType: 'Transient' }],
    ],
    [
      'rejected',
      { suppressed: true },
      [{ kind: 'rejected', errorCode: 406, cause: expect.any(String), cure: expect.any(String) }],
    ],
    [
      'complained',
      { act: (sandbox, mail) => sandbox.complain(mail) },
      [
        { kind: 'complained', recordType: 'SpamComplaint' },
        { kind: 'complained', recordType: 'SubscriptionChange' },
      ],
    ],
    ['opened', { act: (sandbox, mail) => sandbox.open(mail) }, [{ kind: 'opened', firstOpen: true }]],
    [
      'clicked',
      { act: (sandbox, mail) => sandbox.click(mail) },
      [{ kind: 'clicked', link: 'https://example.com/a', location: 'Text' }],
    ],
    [
      'unsubscribed',
      { act: (sandbox, mail) => sandbox.unsubscribe(mail) },
      [{ kind: 'unsubscribed', reason: 'ManualSuppression', origin: 'Recipient' }],
    ],
  ])('%s', async (_title, { suppressed = false, act }, expected) => {
    const events: WebhookEvent[] = []
    const { sandbox, send, outcomes } = await start({ any: (event) => void events.push(event) })
    if (suppressed) sandbox.suppress(ANN)
    await sandbox.advance(0)
    events.length = 0
    const fields = { messageStream: 'outbound', tag: 'order', metadata: { 'order-id': '42' } }
    const { mail, correlationId } = await send(ANN, fields)
    // One after the other: posts that are under way at once may overtake each other.
    await sandbox.advance(0)
    await act?.(sandbox, mail)
    await sandbox.advance(0)
    const common = {
      messageId: mail.messageId,
      messageStream: 'outbound',
      tag: 'order',
      metadata: { 'order-id': '42', 'correlation-id': correlationId },
      correlationId,
      recipient: ANN,
      test: false,
      at: expect.any(Date),
    }
    const delivered = suppressed ? [] : [{ kind: 'delivered', details: 'smtp;250 2.0.0 OK' }]
    expect(events).toHaveLength(delivered.length + expected.length)
    for (const event of [...delivered, ...expected])
      expect(events).toContainEqual(expect.objectContaining({ ...event, ...common }))
    expect(new Set(outcomes())).toEqual(new Set(['200 done']))
  })

  it('resubscribed, which names an address and no email', async () => {
    const events: WebhookEvent[] = []
    const { sandbox } = await start({ resubscribed: (event) => void events.push(event) })
    sandbox.suppress(ANN, { stream: 'broadcast' })
    sandbox.unsuppress(ANN, { stream: 'broadcast' })
    await sandbox.advance(0)
    expect(events).toMatchObject([
      {
        recipient: ANN,
        messageStream: 'broadcast',
        messageId: undefined,
        correlationId: undefined,
        origin: 'Customer',
      },
    ])
  })
})

describe('retries', () => {
  it('follow a handler that throws, until it does not', async () => {
    let calls = 0
    const delivered = () => {
      calls += 1
      if (calls < 3) throw new Error('the database is down')
    }
    const { sandbox, send, outcomes } = await start({ delivered })
    await send()
    await sandbox.advance(0)
    expect([calls, outcomes()]).toEqual([1, ['500 retry']])
    await sandbox.advance(MINUTE / 2)
    expect(calls).toBe(1)
    await sandbox.advance(MINUTE / 2)
    expect(calls).toBe(2)
    await sandbox.advance(24 * 60 * MINUTE)
    expect([calls, outcomes()]).toEqual([3, ['500 retry', '500 retry', '200 done']])
    expect(new Set(sandbox.webhooks.attempts.map(({ traceId }) => traceId)).size).toBe(1)
  })

  it('end after nine, while other events go through', async () => {
    const handled: string[] = []
    const { sandbox, send, outcomes } = await start({
      delivered: ({ recipient }) => {
        if (recipient === ANN) throw new Error('nothing can be done about it')
        handled.push(String(recipient))
      },
    })
    await send()
    await send('bob@example.com')
    await sandbox.advance(24 * 60 * MINUTE)
    const expected = [...Array(9).fill('500 retry'), '500 dropped', '200 done']
    expect(outcomes().toSorted()).toEqual(expected.toSorted())
    expect(handled).toEqual(['bob@example.com'])
  })

  it('do not follow a 401: an event with a wrong secret is lost', async () => {
    const events: WebhookEvent[] = []
    const { sandbox, receiver, handler, send, outcomes } = await start({
      any: (event) => void events.push(event),
    })
    receiver.handle = handler({ auth: { basic: NEW } })
    await send()
    await sandbox.advance(24 * 60 * MINUTE)
    expect(outcomes()).toEqual(['401 dropped'])
    expect(events).toEqual([])
  })

  it('of an event whose reply got lost are known, and it is handled once', async () => {
    const events: WebhookEvent[] = []
    const { sandbox, receiver, send, outcomes } = await start({
      any: (event) => void events.push(event),
    })
    const { handle } = receiver
    let posts = 0
    receiver.handle = async (request, info) => {
      const response = await handle(request, info)
      posts += 1
      // As a proxy in front answers that has lost the connection.
      return posts <= 2 ? new Response(null, { status: 504 }) : response
    }
    await send()
    await sandbox.advance(24 * 60 * MINUTE)
    expect(outcomes()).toEqual(['504 retry', '504 retry', '200 done'])
    expect(events).toHaveLength(1)
  })
})

it('rotates a secret without losing an event, one that is retried meanwhile included', async () => {
  const handled: string[] = []
  const failing = new Set(['retried@example.com'])
  const { sandbox, receiver, handler, send, outcomes } = await start({
    delivered: ({ recipient = '', test }) => {
      if (failing.delete(recipient)) throw new Error('not yet')
      handled.push(test ? 'dummy data' : recipient.replace('@example.com', ''))
    },
  })
  const client = new ServerClient(sandbox.token, { requestHost: sandbox.apiHost, useHttps: false })
  const sendTo = async (to: string) => {
    await send(to)
    await sandbox.advance(0)
  }
  await sendTo('before@example.com')
  await sendTo('retried@example.com')
  receiver.handle = handler({ auth: { basic: [NEW, OLD] } })
  await sendTo('old-secret@example.com')
  const [webhook] = sandbox.webhooks.list
  // Postmark verifies the change with dummy data, which has to get 200.
  const changed = { Url: receiver.url, HttpAuth: { Username: NEW.username, Password: NEW.password } }
  await client.editWebhook(webhook!.id, changed)
  await sendTo('new-secret@example.com')
  await sandbox.advance(60 * MINUTE)
  receiver.handle = handler({ auth: { basic: [NEW] } })
  await sendTo('after@example.com')

  expect(handled).toEqual(['before', 'old-secret', 'dummy data', 'new-secret', 'retried', 'after'])
  expect(outcomes().filter((outcome) => outcome !== '200 done')).toEqual(['500 retry'])
})

it('lets a slow handler hold up neither other events nor emails', async () => {
  const handled: string[] = []
  let release = () => {}
  const gate = new Promise<void>((resolve) => {
    release = resolve
  })
  let allOthers = () => {}
  const others = new Promise<void>((resolve) => {
    allOthers = resolve
  })
  const { sandbox, send, outcomes } = await start({
    async delivered({ recipient = '' }) {
      if (recipient === 'slow@example.com') await gate
      handled.push(recipient)
      if (handled.length === 20) allOthers()
    },
  })
  await send('slow@example.com')
  for (let n = 0; n < 20; n++) await send(`u${n}@example.com`)
  await others
  expect(handled).not.toContain('slow@example.com')
  release()
  await sandbox.advance(0)
  expect(handled).toHaveLength(21)
  expect(outcomes()).toEqual(Array(21).fill('200 done'))
})

describe('the way back', () => {
  it('a handler’s mail has the correlation ID of the email that failed, and neither its tag nor its stream', async () => {
    const support = 'support@example.com'
    const { sandbox, transporter, send } = await start({
      rejected: ({ cause = '' }) =>
        transporter.sendMail({ from: 'shop@example.com', to: support, subject: 'Refused', text: cause }),
    })
    sandbox.suppress(ANN, { stream: 'broadcast' })
    const scope = { messageStream: 'broadcast', tag: 'newsletter', metadata: { tenant: 'acme' } }
    const { mail, correlationId } = await runWithPostmark(scope, () => send())
    expect(mail).toMatchObject({ stream: 'broadcast', verdict: { outcome: 'refused' } })
    await sandbox.advance(0)
    const alert = await sandbox.waitFor({ to: support })
    expect(alert.postmark).toEqual({ metadata: { 'correlation-id': correlationId } })
    expect(alert.stream).toBe('outbound')
    expect((await alert.parse()).text).toContain('suppressed')
  })

  it('a rejection without the raw source tells the code that Postmark’s words stand for', async () => {
    const events: WebhookEvent[] = []
    const { sandbox, receiver, send } = await start({ rejected: (event) => void events.push(event) })
    for (const { id } of sandbox.webhooks.list) sandbox.webhooks.remove(id)
    sandbox.addWebhook({ url: receiver.url, basicAuth: OLD })
    sandbox.suppress(ANN)
    const { correlationId } = await send()
    await sandbox.advance(0)
    const { cause, cure } = API_ERRORS[406]!
    expect(events).toMatchObject([{ errorCode: 406, cause, cure, content: undefined, correlationId }])
  })
})
