import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { rm } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { type SandboxMail, type SandboxOptions, startSandbox } from '@postmark-smtp/sandbox'
import { FAULT_PHASES } from '@postmark-smtp/sandbox/faults'
import { createRandom, redisMissing, size, startRedis } from '@postmark-smtp/testing'
import { build } from 'vite'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createMailQueue } from './index.js'

const missing = redisMissing()
const skipped = missing !== undefined && process.env.REQUIRE_REAL_PARTS !== '1'
if (skipped) console.warn(`Skipped: ${missing}`)

/** What "not found" must outlast: the lease, a reply of the sandbox, its search delay, and a busy machine. */
const WAIT_MS = 6_000
const JOBS_PER_CRASH = 3
/** Workers at once, each of which is killed and stopped again and again. */
const WORKERS = size(4, 4 / 3, 6)
/** How often workers are killed, and how often they are stopped, for each kind of server. */
const CRASHES = size(process.env.BULLMQ ? 20 : 40, process.env.BULLMQ ? 10 : 8, 334)
/** The longest that the server takes for a phase of SMTP; each email meets one. */
const SLOW_MS = 600
const root = fileURLToPath(new URL('../../../', import.meta.url))
const folder = `${root}.results/crash-worker-${process.pid}/`
const source = (name: string) => ({
  find: new RegExp(`^@postmark-smtp/${name}$`),
  replacement: `${root}packages/${name}/src/index.ts`,
})

interface Schedule {
  readonly kills: number
  readonly stops: number
  readonly seed: number
  readonly sandbox: SandboxOptions
  /** After how many crashes Redis is killed as well, and started again. */
  readonly restartAfter?: number | undefined
}

/** What became of the jobs and emails of a schedule. */
async function run({
  kills,
  stops,
  seed,
  sandbox: options,
  restartAfter = Number.POSITIVE_INFINITY,
}: Schedule) {
  const random = createRandom(seed)
  await using redis = await startRedis({ appendOnly: restartAfter < Number.POSITIVE_INFINITY })
  const sandbox = await startSandbox({ searchDelayMs: 300, keep: { mails: 1_000_000 }, ...options })
  const connection = { path: redis.path, maxRetriesPerRequest: null }
  const name = 'crash'
  const mails = createMailQueue({ connection, name })
  const { host, port, ca, token, apiHost } = sandbox
  const values = JSON.stringify({ path: redis.path, name, host, port, ca, token, apiHost, waitMs: WAIT_MS })
  mails.queue.on('error', () => {})
  const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))
  const crashes = [...Array<Crash>(kills).fill('SIGKILL'), ...Array<Crash>(stops).fill('SIGSTOP')]
    .map((signal) => [random(), signal] as const)
    .sort(([a], [b]) => a - b)
    .map(([, signal]) => signal)
  const children = new Set<ChildProcess>()
  const start = async () => {
    const child = fork(`${folder}crash-worker.js`, [values])
    children.add(child)
    await once(child, 'message')
    return child
  }
  const end = async (child: ChildProcess) => {
    children.delete(child)
    const ended = once(child, 'exit')
    child.kill('SIGKILL')
    await ended
  }
  let added = 0
  const add = async (count: number) => {
    const bulk = Array.from({ length: count }, () => {
      const subject = `Mail ${++added}`
      const message = { from: 'shop@example.com', to: 'ann@example.com', subject, text: 'Thank you' }
      return { message, options: { idempotencyKey: subject, attempts: 1_000, removeOnComplete: false } }
    })
    await mails.addBulk(bulk)
  }
  let met = 0
  /** One worker after the other, each at a random point of its life; the last one lives on. */
  const wreck = async () => {
    let child = await start()
    for (let signal = crashes.pop(); signal; signal = crashes.pop()) {
      await add(JOBS_PER_CRASH)
      await pause(random() * SLOW_MS)
      if (++met % restartAfter === 0) await redis.restart()
      if (signal === 'SIGKILL') {
        await end(child)
        child = await start()
        continue
      }
      child.kill(signal)
      await pause(500 + random() * 2_000)
      child.kill('SIGCONT')
    }
  }
  try {
    await add(4 * WORKERS)
    await Promise.all(Array.from({ length: WORKERS }, wreck))
    const { queue } = mails
    await expect
      .poll(() => queue.getJobCountByTypes('waiting', 'active', 'delayed', 'prioritized'), {
        timeout: 300_000,
        interval: 200,
      })
      .toBe(0)
    const [completed, failed] = await Promise.all([queue.getCompleted(0, -1), queue.getFailed(0, -1)])
    return { added, completed, failed, copies: count(sandbox.outbox) }
  } finally {
    await Promise.all([...children].map(end))
    await mails.close()
    await sandbox.close()
  }
}

type Crash = 'SIGKILL' | 'SIGSTOP'

function count(outbox: readonly SandboxMail[]): ReadonlyMap<string, number> {
  const copies = new Map<string, number>()
  for (const { subject = '' } of outbox) copies.set(subject, (copies.get(subject) ?? 0) + 1)
  return copies
}

function subjectOf(job: { readonly data: { readonly idempotencyKey: string } }): string {
  return job.data.idempotencyKey
}

describe.skipIf(skipped)('workers that are killed and stopped at random points', () => {
  beforeAll(async () => {
    const bullmq = process.env.BULLMQ
    await build({
      configFile: false,
      logLevel: 'error',
      root,
      resolve: {
        alias: [
          ...['core', 'redis', 'webhooks'].map(source),
          { find: /^@postmark-smtp\/core\/([\w-]+)$/, replacement: `${root}packages/core/src/$1.ts` },
          ...(bullmq ? [{ find: /^bullmq$/, replacement: bullmq }] : []),
        ],
      },
      build: {
        ssr: fileURLToPath(new URL('./crash-worker.mjs', import.meta.url)),
        outDir: folder,
        rollupOptions: { output: { entryFileNames: '[name].js' } },
      },
      // One file starts in half of the time, and there are many starts.
      ssr: { noExternal: true },
    })
  })
  afterAll(async () => {
    await rm(folder, { recursive: true, force: true })
  })

  const seed = 1 + Math.floor(Math.random() * 1e6)
  /** Each email takes a while at some phase, so that all phases are met. */
  const slowServer = () => {
    const random = createRandom(seed)
    const pick = () => FAULT_PHASES[Math.floor(random() * FAULT_PHASES.length)]!
    return { pick, random }
  }
  const slow = (): SandboxOptions => {
    const { pick, random } = slowServer()
    return { faults: () => ({ phase: pick(), kind: 'delay', ms: random() * SLOW_MS }) }
  }
  const cutting = (): SandboxOptions => {
    const { pick, random } = slowServer()
    return {
      faults: () =>
        random() < 0.7
          ? { phase: pick(), kind: 'delay', ms: random() * SLOW_MS }
          : { phase: pick(), kind: 'cut', accepted: random() < 0.5 },
    }
  }
  const tables: [string, () => Pick<Schedule, 'sandbox' | 'restartAfter'>][] = [
    ['a slow server', () => ({ sandbox: slow() })],
    ['a server that cuts connections at random', () => ({ sandbox: cutting() })],
    ['a slow server, with a Redis that is killed too', () => ({ sandbox: slow(), restartAfter: 8 })],
  ]
  it.concurrent.each(tables)(
    'send each email once through %s, and complete no job without an email',
    async (what, schedule) => {
      const settings = { kills: CRASHES, stops: CRASHES, seed, ...schedule() }
      const { added, completed, failed, copies } = await run(settings)
      const twice = [...copies].filter(([, count]) => count > 1)
      const without = completed.map(subjectOf).filter((subject) => !copies.has(subject))
      const duplicates = completed.filter(({ returnvalue }) => returnvalue.postmark.duplicate).length
      const lost = completed.reduce((sum, { stalledCounter }) => sum + stalledCounter, 0)
      console.info(
        `${what}: ${CRASHES} kills, ${CRASHES} stops, ${added} jobs, seed ${seed}: ${twice.length} twice, ` +
          `${without.length} completed without an email, ${failed.length} failed, ${lost} times a worker was lost, ` +
          `${duplicates} found sent already`,
      )
      expect({ twice, without, failed: failed.map(({ failedReason }) => failedReason) }).toEqual({
        ...{ twice: [], without: [], failed: [] },
      })
      expect(new Set(completed.map(subjectOf)).size).toBe(added)
      expect(copies.size).toBe(added)
    },
    3_600_000,
  )
})
