import { Readable } from 'node:stream'
import { createPostmarkTransport, deliveryOutcome } from '@postmark-smtp/core'
import { FAULT_PHASES, type FaultServer, seededFaults, startFaultServer } from '@postmark-smtp/sandbox/faults'
import { createRandom, size } from '@postmark-smtp/testing'
import { expect, it } from 'vitest'

const TOKEN = '6f1c2b1e-8a34-4d3a-9a60-2f7f6c1f0a11'
/** Runs at the same time: most of a run is waiting for a limit. */
const ABREAST = 40
/** Long enough for a busy machine to get past the greeting. */
const LIMIT_MS = 300

interface Sent {
  readonly id: string
  readonly outcome: string
  readonly attempts: number
  /** The recipients that were reported as accepted. */
  readonly to: readonly string[]
}

/** What the soak counts: outcomes, faults by phase, and whatever breaks the promise. */
interface Tally {
  readonly outcomes: Record<string, number>
  readonly phases: Record<string, number>
  readonly broken: string[]
  retried: number
}

async function run(seed: number, tally: Tally): Promise<void> {
  const random = createRandom(seed)
  const plaintext = random() < 0.6
  const intensity = random()
  // Now and then the same fault for good, so that no attempt gets through.
  const always = random() < 0.15
  const pipelining = (['auto', 'auto', 'envelope', false] as const)[Math.floor(random() * 4)]
  const faults = seededFaults(seed, { rate: always ? 1 : intensity, maxDelayMs: 1.5 * LIMIT_MS })
  const server = await startFaultServer({
    script: always ? () => faults(0, 0) : faults,
    onFault: ({ phase }) => {
      tally.phases[phase] = (tally.phases[phase] ?? 0) + 1
    },
  })
  const { host, port, ca } = server
  const transporter = createPostmarkTransport({
    serverToken: TOKEN,
    host,
    ports: [port],
    ...(plaintext ? { allowPlaintext: true } : { tls: { ca } }),
    pipelining,
    pool: { maxConnections: 1 + Math.floor(random() * 3) },
    retry: { attempts: 4, baseMs: 5, ...(random() < 0.3 && { deadlineMs: 20 + random() * LIMIT_MS }) },
    timeouts: { raceMs: LIMIT_MS, replyMs: LIMIT_MS, finalMs: LIMIT_MS },
  })
  const send = async (index: number): Promise<Sent> => {
    const id = `run-${seed}-mail-${index}`
    const to = Array.from({ length: 1 + Math.floor(random() * 4) }, (_, which) => `to${which}@example.com`)
    const text = `${id} `.repeat(1 + Math.floor(random() * 100))
    const attachments = random() < 0.2 ? [{ filename: 'a.txt', content: Readable.from([`whole ${id}`]) }] : []
    try {
      const info = await transporter.sendMail({ from: 'a@example.com', to, subject: id, text, attachments })
      return { id, outcome: 'sent', attempts: info.postmark.attempts ?? 0, to: info.accepted }
    } catch (error) {
      const { attempts = 0 } = error as { attempts?: number }
      return { id, outcome: deliveryOutcome(error), attempts, to: [] }
    }
  }
  const results = await Promise.all(
    Array.from({ length: 2 + Math.floor(random() * 3) }, (_, index) => send(index)),
  )
  await transporter.close()
  await server.close()
  for (const result of results) judge(result, server, tally)
}

/** Compares what was reported with what the server took. */
function judge({ id, outcome, attempts, to }: Sent, server: FaultServer, tally: Tally): void {
  const copies = server.accepted.filter(({ raw }) => raw.includes(`Subject: ${id}\r\n`))
  const tell = (what: string) => tally.broken.push(`${id}: ${what} (${outcome} after ${attempts} attempts)`)
  if (copies.length > 1) tell('accepted twice')
  if (outcome === 'sent' && copies.length === 0) tell('reported sent, and not accepted')
  if (!['sent', 'unknown'].includes(outcome) && copies.length > 0) tell('accepted, and reported otherwise')
  for (const { raw, envelope } of copies) {
    if (outcome === 'sent' && envelope.to.join() !== to.join()) tell(`accepted for ${envelope.to}, not ${to}`)
    if (raw.includes('filename=a.txt') && !raw.includes(btoa(`whole ${id}`)))
      tell('accepted with an empty part')
  }
  tally.outcomes[outcome] = (tally.outcomes[outcome] ?? 0) + 1
  if (attempts > 1) tally.retried += 1
}

const tally: Tally = { outcomes: {}, phases: {}, broken: [], retried: 0 }

// In parts, each with a time limit of its own.
it.each([0, 1, 2, 3, 4])(
  'no email is reported as what it is not, whatever breaks wherever: part %i',
  async (part) => {
    const runs = size(1000, 10, 2000)
    let done = 0
    const work = async () => {
      while (done < runs) await run(part * 100_000 + ++done, tally)
    }
    await Promise.all(Array.from({ length: ABREAST }, work))
    expect(tally.broken.splice(0)).toEqual([])
  },
)

// A part of the runs is too few for that on a busy machine, where most meet a limit before they meet a fault.
it.runIf(size(2) === 2)(
  'the runs went everywhere: each outcome and each phase came up, and emails were tried again',
  () => {
    for (const outcome of ['sent', 'not-sent', 'rejected', 'deferred', 'unknown'])
      expect(tally.outcomes[outcome], outcome).toBeGreaterThan(0)
    for (const phase of FAULT_PHASES) expect(tally.phases[phase], phase).toBeGreaterThan(0)
    expect(tally.retried).toBeGreaterThan(0)
  },
)
