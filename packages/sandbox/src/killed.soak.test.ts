import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { createRandom, size } from '@postmark-smtp/testing'
import { createTransport } from 'nodemailer'
import { expect, it } from 'vitest'

const CLI = fileURLToPath(new URL('../dist/cli.js', import.meta.url))
/** Of each of the two that run at a time. */
const KILLS = size(50, 25, 100)
/** A start takes about half a second. */
const LONGEST_START_MS = 700
/** The kill comes a moment after so many answers. */
const MOST_ANSWERS = 40
const MOMENT_MS = 20

/** What must be there after a restart, and what may be: it was asked for, and not answered. */
class Expected {
  readonly #onAnswer: () => void
  readonly must = new Set<string>()
  readonly may = new Set<string>()

  constructor(onAnswer: () => void) {
    this.#onAnswer = onAnswer
  }

  async add(what: string, ask: () => Promise<unknown>): Promise<void> {
    this.may.add(what)
    if (await this.#isAnswered(ask)) this.must.add(what)
  }

  async take(list: readonly string[], ask: () => Promise<unknown>): Promise<void> {
    for (const what of list) this.may.add(what)
    for (const what of list) this.must.delete(what)
    if (await this.#isAnswered(ask)) for (const what of list) this.may.delete(what)
  }

  /** From now on what is there must stay. */
  settle(found: readonly string[]): void {
    expect(new Set(found).size, 'nothing is doubled').toBe(found.length)
    const lost = [...this.must].filter((what) => !found.includes(what))
    const undone = found.filter((what) => !this.must.has(what) && !this.may.has(what))
    expect({ lost, undone }).toEqual({ lost: [], undone: [] })
    for (const set of [this.must, this.may]) {
      set.clear()
      for (const what of found) set.add(what)
    }
  }

  async #isAnswered(ask: () => Promise<unknown>): Promise<boolean> {
    try {
      await ask()
    } catch {
      return false
    }
    this.#onAnswer()
    return true
  }
}

interface Running {
  readonly child: ChildProcess
  readonly port: number
  readonly page: string
}

/** The sandbox as a process; undefined where it was killed before it was up. */
async function run(data: string, killAfterMs?: number): Promise<Running | undefined> {
  const flags = ['--port', '0', '--http-port', '0', '--quiet', '--data', data, '--keep', '2000']
  const child = spawn(process.execPath, [CLI, ...flags], { stdio: ['ignore', 'pipe', 'pipe'] })
  const complaints = text(child.stderr)
  const timer = killAfterMs === undefined ? undefined : setTimeout(() => child.kill('SIGKILL'), killAfterMs)
  let banner = ''
  for await (const chunk of child.stdout) {
    banner += chunk
    if (!banner.includes('Ctrl-C')) continue
    clearTimeout(timer)
    const port = Number(/127\.0\.0\.1:(\d+)/.exec(banner)![1])
    return { child, port, page: /http:\S+/.exec(banner)![0] }
  }
  if (child.signalCode === null && child.exitCode === null) await once(child, 'exit')
  expect(await complaints, 'what ended it').toBe('')
  expect(child.signalCode).toBe('SIGKILL')
  return undefined
}

async function call(page: string, method: string, path: string, body?: object) {
  const headers = { 'Content-Type': 'application/json', 'X-Postmark-Server-Token': 'any' }
  const response = await fetch(page + path, { method, headers, ...(body && { body: JSON.stringify(body) }) })
  if (!response.ok) throw new Error(`${response.status}: ${await response.text()}`)
  return (await response.json()) as never
}

it.concurrent.each([20, 21])(
  `loses nothing that was answered, doubles nothing and undoes nothing, killed ${KILLS} times (seed %i)`,
  async (seed) => {
    const random = createRandom(seed)
    const data = mkdtempSync(join(tmpdir(), 'sandbox-killed-'))
    let onAnswer = () => {}
    const expected = () => new Expected(() => onAnswer())
    const [mails, suppressed, webhooks] = [expected(), expected(), expected()]
    let number = 0
    let kills = 0
    const answered = { mails: 0 }

    async function compare({ page }: Running): Promise<void> {
      const { Mails, TotalCount } = (await call(page, 'GET', 'sandbox/mails?count=500')) as {
        TotalCount: number
        Mails: { Subject: string; MessageID: string; Status: string }[]
      }
      expect(Mails).toHaveLength(TotalCount)
      mails.settle(Mails.map(({ Subject }) => Subject))
      const last = Mails[0]
      if (last) {
        const { MessageEvents, TextBody } = (await call(
          page,
          'GET',
          `sandbox/mails/${last.MessageID}`,
        )) as Record<string, unknown>
        expect(TextBody).toBe(`${BODY}\n`)
        expect(MessageEvents).toMatchObject([{ Type: 'Delivered' }])
      }
      const { Suppressions } = (await call(page, 'GET', 'sandbox/suppressions')) as {
        Suppressions: { EmailAddress: string }[]
      }
      suppressed.settle(Suppressions.map(({ EmailAddress }) => EmailAddress))
      const { Webhooks } = (await call(page, 'GET', 'webhooks')) as { Webhooks: { Url: string }[] }
      webhooks.settle(Webhooks.map(({ Url }) => Url))
    }

    /** One thing after the other, of which emails come four at a time, until the process is gone. */
    async function work({ child, port, page }: Running): Promise<void> {
      let left = Math.ceil(random() * MOST_ANSWERS)
      const momentMs = random() * MOMENT_MS
      onAnswer = () => {
        left -= 1
        if (left === 0) setTimeout(() => child.kill('SIGKILL'), momentMs)
      }
      const transporter = createTransport({
        host: '127.0.0.1',
        port,
        ignoreTLS: true,
        auth: { user: 'any', pass: 'any' },
      })
      while (child.signalCode === null && !child.killed) {
        const draw = random()
        const [first] = suppressed.must
        if (draw < 0.7)
          await Promise.all(
            Array.from({ length: 4 }, () => {
              number += 1
              const subject = `Mail ${number}`
              return mails.add(subject, async () => {
                await transporter.sendMail({
                  from: 'shop@example.com',
                  to: 'ann@example.com',
                  subject,
                  text: BODY,
                })
                answered.mails += 1
              })
            }),
          )
        else if (draw < 0.78 && mails.may.size > 100) {
          const all = [mails.may, suppressed.may].map((set) => [...set]) as [string[], string[]]
          const cleared = call(page, 'DELETE', 'sandbox/mails')
          await Promise.all([mails.take(all[0], () => cleared), suppressed.take(all[1], () => cleared)])
        } else if (draw < 0.88) {
          number += 1
          const Address = `a${number}@example.com`
          await suppressed.add(Address, () => call(page, 'POST', 'sandbox/suppressions', { Address }))
        } else if (draw < 0.94 && first)
          await suppressed.take([first], () =>
            call(page, 'DELETE', 'sandbox/suppressions', { Address: first }),
          )
        else if (webhooks.may.size < 20) {
          number += 1
          const Url = `http://127.0.0.1:9/${number}`
          const Triggers = { Open: { Enabled: true } }
          await webhooks.add(Url, () => call(page, 'POST', 'webhooks', { Url, Triggers, Verify: false }))
        }
      }
    }

    try {
      while (kills < KILLS) {
        const isEarly = random() < 0.2
        const running = await run(data, isEarly ? random() * LONGEST_START_MS : undefined)
        if (running === undefined) {
          kills += 1
          continue
        }
        await compare(running)
        const gone = once(running.child, 'exit')
        await work(running)
        await gone
        kills += 1
      }
      const last = (await run(data))!
      await compare(last)
      last.child.kill()
      expect(await once(last.child, 'exit')).toEqual([0, null])
      expect(answered.mails).toBeGreaterThan(KILLS)
    } finally {
      rmSync(data, { recursive: true, force: true })
    }
  },
)

const BODY = 'x'.repeat(5000)
