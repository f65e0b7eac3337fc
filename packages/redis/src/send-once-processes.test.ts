import { startSandbox } from '@postmark-smtp/sandbox'
import {
  type Redis,
  redisMissing,
  type SenderProcess,
  type SmtpServer,
  startRedis,
  startSender,
  startSmtpServer,
} from '@postmark-smtp/testing'
import { Redis as IoRedis } from 'ioredis'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { createRedisSendOnce } from './index.js'

const SCRIPT = new URL('./send-once-process.mjs', import.meta.url)
const missing = redisMissing()
const skipped = missing !== undefined && process.env.REQUIRE_REAL_PARTS !== '1'
if (skipped) console.warn(`Skipped: ${missing}`)

const TOKEN = '6f1c2b1e-8a34-4d3a-9a60-2f7f6c1f0a11'

describe.skipIf(skipped)('emails under a key, from processes that share a Redis', () => {
  let redis: Redis
  const open: AsyncDisposable[] = []
  beforeAll(async () => {
    redis = await startRedis()
  })
  afterAll(() => redis?.close())
  afterEach(async () => {
    for (const each of open.splice(0)) await each[Symbol.asyncDispose]()
  })
  const start = async (options: object, leaseMs = 30_000): Promise<SenderProcess> => {
    const sender = await startSender(SCRIPT, { redisPath: redis.path, prefix: 'test', leaseMs, ...options })
    open.push(sender)
    return sender
  }

  it('are one email where two hundred calls over four processes come at once', async () => {
    await using sandbox = await startSandbox()
    // On a busy machine a process may get nothing to do for seconds.
    const options = { url: sandbox.url, timeoutMs: 60_000 }
    const senders = await Promise.all(Array.from({ length: 4 }, () => start(options)))
    const calls = Array.from({ length: 200 }, (_, n) => senders[n % 4]!.send('one'))
    const results = await Promise.all(calls)
    expect(sandbox.outbox).toHaveLength(1)
    expect(results.filter(({ duplicate }) => duplicate === false)).toHaveLength(1)
    const others = results.filter(({ duplicate }) => duplicate !== false)
    expect(others.filter((each) => !each.duplicate && each.code !== 'ERR_POSTMARK_ONCE_HELD')).toEqual([])
    expect(await senders[0]!.send('one')).toMatchObject({ duplicate: true })
  })

  describe('one of which stands still for longer than its lease', () => {
    const LEASE = 1_000
    let server: SmtpServer
    let client: IoRedis
    let store: ReturnType<typeof createRedisSendOnce>
    let stopAt: { readonly step: 'envelope' | 'end'; readonly sender: () => SenderProcess } | undefined
    beforeEach(async () => {
      const stop = (step: string) => {
        if (stopAt?.step !== step) return
        stopAt.sender().child.kill('SIGSTOP')
        stopAt = undefined
      }
      server = await startSmtpServer({
        onRcpt: () => void stop('envelope'),
        onData: () => void stop('end'),
      })
      client = new IoRedis(redis.path)
      store = createRedisSendOnce(client, { prefix: 'test' })
    })
    afterEach(async () => {
      await client.quit()
      await server.close()
    })
    const startBoth = async () => {
      const { host, port, ca } = server
      const options = { serverToken: TOKEN, host, ports: [port], tls: { ca } }
      return [await start(options, LEASE), await start(options, LEASE)] as const
    }
    /** The email of unknown outcome, once its lease is over. */
    const unknown = async () => {
      for (;;) {
        for await (const found of store.unknowns()) return found
        await new Promise((resolve) => setTimeout(resolve, 20))
      }
    }

    it('does not send after it goes on, since another may have the key', async () => {
      const [first, second] = await startBoth()
      stopAt = { step: 'envelope', sender: () => first }
      const sending = first.send('stopped')
      const { id } = await unknown()
      expect(await second.send('stopped')).toMatchObject({ code: 'ERR_POSTMARK_ONCE_UNKNOWN' })
      await store.resolve(id, 'released')
      expect(await second.send('stopped')).toMatchObject({ duplicate: false })
      first.child.kill('SIGCONT')
      expect(await sending).toMatchObject({ code: 'EFENCE', outcome: 'not-sent' })
      expect(server.mails).toHaveLength(1)
      expect(await first.send('stopped')).toMatchObject({ duplicate: true })
    })

    it('gives its key back where nobody has resolved it', async () => {
      const [first, second] = await startBoth()
      stopAt = { step: 'envelope', sender: () => first }
      const sending = first.send('slow')
      await unknown()
      first.child.kill('SIGCONT')
      expect(await sending).toMatchObject({ code: 'EFENCE', outcome: 'not-sent' })
      expect(await second.send('slow')).toMatchObject({ duplicate: false })
      expect(server.mails).toHaveLength(1)
    })

    it('has sent it where the server had taken it, whatever was resolved meanwhile', async () => {
      const [first, second] = await startBoth()
      stopAt = { step: 'end', sender: () => first }
      const sending = first.send('taken')
      const { id } = await unknown()
      expect(server.mails).toHaveLength(1)
      await store.resolve(id, 'sent', { messageId: 'found-by-look-up' })
      expect(await second.send('taken')).toMatchObject({ duplicate: true })
      first.child.kill('SIGCONT')
      expect(await sending).toMatchObject({ duplicate: false, unsettled: false })
      expect(server.mails).toHaveLength(1)
    })
  })

  it('are not sent while Redis is gone, and are, once each, when it is back with what it had written down', async () => {
    await using sandbox = await startSandbox()
    await using own = await startRedis({ appendOnly: true })
    const times = { leaseMs: 30_000, timeoutMs: 500 }
    const sender = await startSender(SCRIPT, {
      redisPath: own.path,
      prefix: 'test',
      url: sandbox.url,
      ...times,
    })
    open.push(sender)
    expect(await sender.send('before')).toMatchObject({ duplicate: false })
    await own.restart()
    expect(await sender.send('before')).toMatchObject({ duplicate: true })
    await own.close()
    expect(await sender.send('gone')).toMatchObject({ code: 'ERR_POSTMARK_ONCE_STORE', outcome: 'not-sent' })
    expect(sandbox.outbox).toHaveLength(1)
  })
})
