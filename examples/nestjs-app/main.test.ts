import { Test } from '@nestjs/testing'
import { PostmarkMailQueue } from '@postmark-smtp/bullmq/nestjs'
import { createPostmarkTransport } from '@postmark-smtp/core'
import { getPostmarkToken } from '@postmark-smtp/nestjs'
import { startSandbox } from '@postmark-smtp/sandbox'
import { redisMissing, startRedis } from '@postmark-smtp/testing'
import { expect, it } from 'vitest'
import { createAppModule } from './app.module.js'
import { main } from './main.js'
import { OrderMails } from './order-mails.service.js'
import { SignupMails } from './signup-mails.service.js'
import { startWorker } from './worker.js'

const missing = redisMissing()
const skipped = missing !== undefined && process.env.REQUIRE_REAL_PARTS !== '1'
if (skipped) console.warn(`Skipped: ${missing}`)

const webhookPassword = 'webhook-6d8f0b2c4e'

it('sends each email with the fields of its request, route and method, and hears of a refused one', async () => {
  const lines: string[] = []
  await main((line) => lines.push(line))
  const refused = lines.find((line) => line.startsWith('Rejected'))
  expect(lines.findLast((line) => line.startsWith('Welcome'))).toContain(
    refused?.slice('Rejected '.length, refused.indexOf(':')),
  )
  // Correlation IDs differ from run to run.
  const told = lines.map((line) => line.replaceAll(/[0-9a-f-]{36}/g, 'ID').replaceAll(/[\w-]{43}/g, 'HASH'))
  const welcome =
    'Welcome: {"tag":"signup","metadata":{"tenant":"acme","request-id":"req-acme","correlation-id":"ID"}}'
  const orders = [
    'POST /orders/1 (acme): 202',
    'POST /orders/2 (umbrella): 202',
    'POST /orders/2 (umbrella): 202',
    '2 emails are waiting. Starting a worker.',
  ]
  const receipt = (id: string, tenant: string) =>
    `Receipt ${id}: {"tag":"receipt","metadata":{"tenant":"${tenant}","request-id":"req-${tenant}","correlation-id":"ID","send-once":"HASH"}}`
  expect(told.filter((line) => !line.startsWith('Receipt'))).toEqual([
    'POST /signup (acme): 201',
    'POST /invite (umbrella): 201',
    'POST /newsletter (initech): 201',
    'POST /invite (hooli): 422 {"code":"ERR_POSTMARK_PREFLIGHT","problems":[{"path":"postmark.metadata.note","limit":"at most 80 characters"}]}',
    'POST /signup (acme): 201',
    expect.stringMatching(/^Rejected ID: 406 .*suppressed/),
    expect.stringMatching(/^POST \/signup \(acme\): 422 .*ERR_POSTMARK_SUPPRESSED/),
    ...(skipped ? [expect.stringContaining('The queue is skipped')] : orders),
    welcome,
    'Invitation: {"tag":"invite","metadata":{"tenant":"umbrella","request-id":"req-umbrella","user-id":"u1","note":"Join us","correlation-id":"ID"}}',
    'News: {"messageStream":"broadcast","tag":"newsletter","metadata":{"tenant":"initech","request-id":"req-initech","user-id":"u1","correlation-id":"ID"}}',
    welcome,
  ])
  const receipts = told.filter((line) => line.startsWith('Receipt'))
  expect(receipts.toSorted()).toEqual(skipped ? [] : [receipt('1', 'acme'), receipt('2', 'umbrella')])
})

it.skipIf(skipped)('sends each receipt once by a worker, with the tenant of its own request', async () => {
  await using redis = await startRedis()
  await using sandbox = await startSandbox()
  const module = createAppModule({ url: sandbox.url, webhookPassword, redisUrl: redis.path })
  const app = (await Test.createTestingModule({ imports: [module] }).compile()).createNestApplication()
  await app.listen(0, '127.0.0.1')
  const url = await app.getUrl()
  const worker = await startWorker({ redisUrl: redis.path, postmarkUrl: sandbox.url })
  const tenants = Array.from({ length: 40 }, (_, n) => (n % 2 === 0 ? 'acme' : 'umbrella'))
  const order = async (tenant: string, n: number) => {
    const headers = { 'content-type': 'application/json', 'x-tenant': tenant, 'x-request-id': `r${n}` }
    const body = JSON.stringify({ email: `${tenant}@example.com` })
    return (await fetch(`${url}/orders/${n}`, { method: 'POST', headers, body })).status
  }
  // Each order comes twice.
  const answers = await Promise.all([...tenants, ...tenants].map((tenant, n) => order(tenant, n % 40)))
  expect(new Set(answers)).toEqual(new Set([202]))
  await expect.poll(() => sandbox.outbox.length, { timeout: 60_000 }).toBe(40)
  const { queue } = app.get(PostmarkMailQueue)
  await expect
    .poll(() => queue.getJobCountByTypes('waiting', 'active', 'delayed'), { timeout: 60_000 })
    .toBe(0)
  await worker.close()
  const received = sandbox.outbox.map(({ subject, envelope, postmark }) => {
    const { tenant, 'request-id': request } = postmark.metadata ?? {}
    return [subject, envelope.to[0], postmark.tag, tenant, request].join(' ')
  })
  expect(received.toSorted()).toEqual(
    tenants.map((tenant, n) => `Receipt ${n} ${tenant}@example.com receipt ${tenant} r${n}`).toSorted(),
  )
  await app.close()
})

it.skipIf(skipped)(
  'fails a receipt that a job without a request has made, since it has no tenant',
  async () => {
    await using redis = await startRedis()
    await using sandbox = await startSandbox()
    const imports = [createAppModule({ url: sandbox.url, webhookPassword, redisUrl: redis.path })]
    const app = await (await Test.createTestingModule({ imports }).compile()).init()
    const worker = await startWorker({ redisUrl: redis.path, postmarkUrl: sandbox.url })
    await app.get(OrderMails).receipt('7', 'ann@example.com')
    const { queue } = app.get(PostmarkMailQueue)
    await expect.poll(() => queue.getFailedCount(), { timeout: 60_000 }).toBe(1)
    const [failed] = await queue.getFailed()
    expect(failed?.failedReason).toMatch(/^not-sent: .*\n {2}- context has no open scope/)
    expect(sandbox.outbox).toEqual([])
    await worker.close()
    await app.close()
  },
)

it('takes no event without the secret', async () => {
  const rejected: unknown[] = []
  const settings = { url: 'postmark+smtp://6f1c2b1e-8a34-4d3a-9a60-2f7f6c1f0a11@default', webhookPassword }
  const module = createAppModule({ ...settings, onRejected: (event) => rejected.push(event) })
  const app = (await Test.createTestingModule({ imports: [module] }).compile()).createNestApplication()
  await app.listen(0, '127.0.0.1')
  const post = async (password: string) => {
    const body = JSON.stringify({ RecordType: 'Bounce', Type: 'SMTPApiError' })
    const headers = {
      'content-type': 'application/json',
      authorization: `Basic ${btoa(`postmark:${password}`)}`,
    }
    return (await fetch(`${await app.getUrl()}/webhooks/postmark`, { method: 'POST', headers, body })).status
  }
  expect([await post('guessed'), rejected.length]).toEqual([401, 0])
  expect([await post(webhookPassword), rejected.length]).toEqual([200, 1])
  await app.close()
})

// The first way to test: the application as it is, with the URL of a sandbox.
it('sends to a sandbox that its URL names', async () => {
  await using sandbox = await startSandbox()
  const app = await Test.createTestingModule({
    imports: [createAppModule({ url: sandbox.url, webhookPassword })],
  }).compile()
  await app.get(SignupMails).newsletter('ann@example.com')
  const mail = await sandbox.waitFor({ to: 'ann@example.com' })
  expect(mail.postmark).toMatchObject({ messageStream: 'broadcast', tag: 'newsletter' })
  await app.close()
})

// The second way: another transporter in place of the one that the application configures.
it('sends through a transporter that a test puts in', async () => {
  await using sandbox = await startSandbox()
  const app = await Test.createTestingModule({
    imports: [
      createAppModule({
        url: 'postmark+smtp://6f1c2b1e-8a34-4d3a-9a60-2f7f6c1f0a11@default',
        webhookPassword,
      }),
    ],
  })
    .overrideProvider(getPostmarkToken())
    .useValue(createPostmarkTransport(sandbox.url))
    .compile()
  await app.get(SignupMails).welcome('ann@example.com')
  expect((await sandbox.waitFor({ to: 'ann@example.com' })).subject).toBe('Welcome')
  await app.close()
})

it('logs one line per email by Nest’s Logger, without its addresses', async () => {
  await using sandbox = await startSandbox()
  const lines: [string, object][] = []
  const logger = {
    log: (line: object, context: string) => context === 'Mail' && lines.push(['log', line]),
    error: (line: object, _stack: unknown, context: string) =>
      context === 'Mail' && lines.push(['error', line]),
    warn: () => {},
  }
  const app = await Test.createTestingModule({
    imports: [createAppModule({ url: sandbox.url, webhookPassword })],
  })
    .setLogger(logger)
    .compile()
  await app.init()
  const mails = app.get(SignupMails)
  await mails.newsletter('ann@example.com')
  await expect(mails.invite('ann@example.com', 'x'.repeat(81))).rejects.toThrow()
  await app.close()
  const common = { mail: expect.any(Number), ms: expect.any(Number) }
  expect(lines).toEqual([
    [
      'log',
      expect.objectContaining({
        ...common,
        stream: 'broadcast',
        tag: 'newsletter',
        outcome: 'sent',
        attempts: 1,
      }),
    ],
    ['error', expect.objectContaining({ ...common, outcome: 'not-sent', code: 'ERR_POSTMARK_PREFLIGHT' })],
  ])
  expect(JSON.stringify(lines)).not.toContain('example.com')
})
