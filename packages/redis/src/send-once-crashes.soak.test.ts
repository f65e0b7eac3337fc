import { once } from 'node:events'
import { startSandbox } from '@postmark-smtp/sandbox'
import { type Fault, seededFaults } from '@postmark-smtp/sandbox/faults'
import {
  createRandom,
  redisMissing,
  type SenderProcess,
  type SenderResult,
  size,
  startRedis,
  startSender,
} from '@postmark-smtp/testing'
import { resolveUnknown } from '@postmark-smtp/webhooks'
import { Redis as IoRedis } from 'ioredis'
import { ServerClient } from 'postmark'
import { describe, expect, it } from 'vitest'
import { createRedisSendOnce } from './index.js'

declare global {
  /** The types of the package postmark need it, and Node has it under another name only. */
  type RequestInfo = string | URL | Request
}

const SCRIPT = new URL('./send-once-process.mjs', import.meta.url)
const missing = redisMissing()
const skipped = missing !== undefined && process.env.REQUIRE_REAL_PARTS !== '1'
if (skipped) console.warn(`Skipped: ${missing}`)

const LEASE_MS = 1_000
/** Longer than a process stands still, so that it goes on with the email that it was about to send. */
const REPLY_MS = 15_000
const FINAL_MS = 1_500
const SEARCH_DELAY_MS = 300
/** Covers the lease, the wait for the last reply, the search delay, and a machine that is busy with other tests. */
const WAIT_MS = 6_000
const SENDERS = 3
const AT_ONCE = 6
/** A new email comes this often, for as long as there are crashes. */
const EVERY_MS = 20
/** More than can come in that time. */
const KEPT = 50_000

interface Chaos {
  /** How often a process is killed, or stopped for longer than its lease, or Redis is restarted. */
  readonly kills?: number
  readonly stops?: number
  readonly restarts?: number
  readonly seed: number
}

/** Slow at a random phase, most of the time, so that crashes hit each of them; now and then broken. */
function toFaults(seed: number): (connection: number, mail: number) => Fault | undefined {
  const broken = seededFaults(seed, { rate: 0.1 })
  const phases = ['greeting', 'auth', 'mail', 'rcpt', 'data', 'dot', 'dot'] as const
  return (connection, mail) => {
    const random = createRandom(seed + connection * 131 + mail)
    const phase = phases[Math.floor(random() * phases.length)]!
    const fault = broken(connection, mail)
    // A stall would hold a place for all of REPLY_MS.
    if (fault && fault.kind !== 'stall') return fault
    return { phase, kind: 'delay', ms: Math.floor(random() * 60) }
  }
}

/** Sends emails under keys until each is done, while processes die and stand still; returns what went wrong. */
async function survive({ kills = 0, stops = 0, restarts = 0, seed }: Chaos): Promise<object> {
  const crashes = kills + stops + restarts
  await using sandbox = await startSandbox({
    ...{ searchDelayMs: SEARCH_DELAY_MS, faults: toFaults(seed) },
    keep: { mails: KEPT },
  })
  await using redis = await startRedis({ appendOnly: true })
  const client = new IoRedis(redis.path)
  client.on('error', () => {})
  const store = createRedisSendOnce(client, { prefix: 'crashes' })
  const postmark = new ServerClient(sandbox.token, { requestHost: sandbox.apiHost, useHttps: false })
  const random = createRandom(seed)
  const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

  const keys: string[] = []
  const waiting: string[] = []
  const done = new Map<string, SenderResult>()
  const codes: Record<string, number> = {}
  let stopCount = 0
  let isQuiet = false
  const isOver = () => isQuiet && done.size === keys.length

  const senders = new Set<SenderProcess>()
  const busy = new Map<SenderProcess, Set<string>>()
  const stopped = new Set<SenderProcess>()
  const later = (key: string) => void pause(200).then(() => done.has(key) || waiting.push(key))
  const feed = (sender: SenderProcess) => {
    const its = busy.get(sender)!
    while (its.size < AT_ONCE && !stopped.has(sender) && senders.has(sender)) {
      const at = waiting.findIndex((key) => !its.has(key))
      if (at < 0) return
      const [key] = waiting.splice(at, 1)
      if (done.has(key!)) continue
      its.add(key!)
      void sender.send(key!)
    }
  }
  const add = async () => {
    const sender = await startSender(
      SCRIPT,
      {
        ...{ redisPath: redis.path, prefix: 'crashes', leaseMs: LEASE_MS, timeoutMs: 2_000 },
        ...{ url: sandbox.url, retry: { attempts: 3, baseMs: 20 } },
        timeouts: { raceMs: 2_000, replyMs: REPLY_MS, finalMs: FINAL_MS },
      },
      (result) => {
        busy.get(sender)?.delete(result.key)
        codes[result.code ?? 'sent'] = (codes[result.code ?? 'sent'] ?? 0) + 1
        if (result.code === undefined) done.set(result.key, result)
        else later(result.key)
      },
    )
    busy.set(sender, new Set())
    senders.add(sender)
    return sender
  }
  const supervise = async () => {
    while (!isOver()) {
      if (!isQuiet && waiting.length < SENDERS * AT_ONCE) {
        keys.push(`key-${keys.length}`)
        waiting.push(keys.at(-1)!)
      }
      for (const sender of senders) feed(sender)
      await pause(EVERY_MS)
    }
  }
  /** One that runs; as soon as one does. */
  const pick = async (): Promise<SenderProcess> => {
    for (;;) {
      const fit = [...senders].filter((sender) => !stopped.has(sender))
      if (fit.length > 0) return fit[Math.floor(random() * fit.length)]!
      await pause(100)
    }
  }
  /** Its emails are given to others at once, as a queue would. */
  const abandon = (sender: SenderProcess) => busy.get(sender)?.forEach(later)
  const acts = {
    kill: async () => {
      const sender = await pick()
      senders.delete(sender)
      const ended = once(sender.child, 'exit')
      sender.child.kill('SIGKILL')
      await ended
      abandon(sender)
      await add()
    },
    stop: async (sender: SenderProcess) => {
      stopped.add(sender)
      sender.child.kill('SIGSTOP')
      abandon(sender)
      // Every second time for so long that a look-up may have freed its keys, and others have sent its emails.
      const longMs = stopCount++ % 2 === 0 ? WAIT_MS + LEASE_MS : 0
      await pause(longMs + LEASE_MS * (0.5 + 2 * random()))
      sender.child.kill('SIGCONT')
      stopped.delete(sender)
    },
    restart: () => redis.restart(),
  }
  const wreak = async () => {
    const plan = [
      ...Array.from({ length: kills }, () => 'kill' as const),
      ...Array.from({ length: stops }, () => 'stop' as const),
      ...Array.from({ length: restarts }, () => 'restart' as const),
    ].sort(() => random() - 0.5)
    const running: Promise<unknown>[] = []
    for (const act of plan) {
      await pause(random() * 300)
      // While one stands still, others may die.
      if (act === 'stop') running.push(acts.stop(await pick()))
      else await acts[act]()
    }
    await Promise.all(running)
    isQuiet = true
  }
  const lookUp = async () => {
    while (!isOver()) {
      await pause(300)
      // Redis may be gone just now.
      await resolveUnknown(store, postmark, { streams: ['outbound'], waitMs: WAIT_MS }).catch(() => {})
    }
  }
  try {
    await Promise.all(Array.from({ length: SENDERS }, add))
    await Promise.all([wreak(), supervise(), lookUp()])
  } finally {
    for (const sender of senders) await sender[Symbol.asyncDispose]()
    client.disconnect()
  }
  const copies = new Map<string, number>()
  for (const { subject } of sandbox.outbox) copies.set(subject, (copies.get(subject) ?? 0) + 1)
  console.info(`${keys.length} emails, ${crashes} crashes: ${JSON.stringify(codes)}`)
  return {
    twice: keys.filter((key) => (copies.get(key) ?? 0) > 1),
    lost: keys.filter((key) => !copies.has(key)),
  }
}

// Most of the time passes in waiting, for leases and look-ups: they wait together.
describe.skipIf(skipped).concurrent('no email is sent twice, and none is lost,', () => {
  it('whenever processes are killed', async () => {
    expect(await survive({ kills: size(60, 12), seed: 1 })).toEqual({ twice: [], lost: [] })
  })

  it('whenever they stand still for longer than their lease', async () => {
    expect(await survive({ stops: size(30, 6), seed: 2 })).toEqual({ twice: [], lost: [] })
  })

  it('whenever both happen, and Redis is killed and comes back', async () => {
    const crashes = { kills: size(20, 7), stops: size(20, 7), restarts: size(6, 6) }
    expect(await survive({ ...crashes, seed: 3 })).toEqual({ twice: [], lost: [] })
  })
})
