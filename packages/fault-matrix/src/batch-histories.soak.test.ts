import {
  type BatchMessage,
  type BatchResult,
  createMemorySendOnce,
  createPostmarkTransport,
  type PostmarkTransporter,
  runWithPostmark,
  sendBatch,
} from '@postmark-smtp/core'
import { type Sandbox, type SandboxMail, startSandbox } from '@postmark-smtp/sandbox'
import { seededFaults } from '@postmark-smtp/sandbox/faults'
import { createRandom, size } from '@postmark-smtp/testing'
import { expect, it } from 'vitest'

/** Where a server falls silent, which then takes so long. */
const LIMIT_MS = 300
const READERS = 40
/** Above this, content is read while it is sent. */
const LARGE = 270_000

type Random = ReturnType<typeof createRandom>
const END = ['all', 'break', 'abort', 'throw'] as const

/** What one email must look like: everything that is its recipient's or its batch's own names them. */
function wrongIn(mail: SandboxMail): string[] {
  const [to] = mail.envelope.to
  const [batch, reader] = /^(\w)-(\d+)@/.exec(to!)!.slice(1) as [string, string]
  const header = (name: string) => mail.headers.find(({ key }) => key.toLowerCase() === name)?.value
  const own = `${batch}-${reader}`
  const seen: Record<string, [unknown, unknown]> = {
    recipients: [mail.envelope.to.length, 1],
    To: [header('to')?.includes(`${own}@`), true],
    'metadata user': [mail.postmark.metadata?.user, own],
    'metadata batch': [mail.postmark.metadata?.batch, batch],
    scope: [mail.postmark.metadata?.scope, `scope ${batch}`],
    tag: [mail.postmark.tag, Number(reader) % 7 === 0 ? `tag ${own}` : `tag ${batch}`],
    'List-Unsubscribe': [header('list-unsubscribe'), `<https://example.com/${own}>`],
    Subject: [header('subject'), Number(reader) % 5 === 0 ? `For ${own}` : `News of ${batch}`],
  }
  const raw = mail.raw.toString('latin1')
  const texts = new Set(raw.match(/(?<=text of )\w(-\d+)?/g))
  seen.text = [[...texts].join(), Number(reader) % 3 === 0 ? own : batch]
  const file = /filename=a\.txt\r\n(?:.+\r\n)*\r\n([\w+/=]+)/.exec(raw)?.[1] ?? ''
  seen.file = [Buffer.from(file.slice(0, 16), 'base64').toString().slice(0, 10), own.padEnd(10, '.')]
  return Object.entries(seen)
    .filter(([, [is, wanted]]) => is !== wanted)
    .map(([what, [is, wanted]]) => `${to}: ${what} is ${is}, not ${wanted}`)
}

/** Sends one batch whose source fills the same objects for each email, and which ends in one of several ways. */
async function runBatch(transporter: PostmarkTransporter, name: string, random: Random, once: boolean) {
  const end = END[Math.floor(random() * END.length)]!
  const at = Math.floor(random() * READERS)
  const file = Buffer.alloc(random() < 0.2 ? LARGE : 10, '.')
  const message: Record<string, unknown> = {
    from: `${name}@example.com`,
    subject: `News of ${name}`,
    text: `text of ${name}`,
    list: { unsubscribe: { url: '' } },
    attachments: [{ filename: 'a.txt', content: file }],
    postmark: { tag: `tag ${name}`, metadata: { batch: name } },
  }
  const one: Record<string, unknown> = {}
  const ownFile = Buffer.alloc(file.length, '.')
  function fill(reader: number): BatchMessage {
    const own = `${name}-${reader}`
    for (const key of Object.keys(one)) delete one[key]
    file.fill('.')
    file.write(own)
    ;(message.list as { unsubscribe: { url: string } }).unsubscribe.url = `https://example.com/${own}`
    one.to = reader % 2 === 0 ? `${own}@example.com` : { name: 'Reader', address: `${own}@example.com` }
    one.key = own
    one.postmark = { metadata: new Map([['user', own]]), ...(reader % 7 === 0 && { tag: `tag ${own}` }) }
    if (reader % 3 === 0) one.text = `text of ${own}`
    if (reader % 4 === 1) {
      ownFile.fill('.').write(own)
      one.attachments = [{ filename: 'a.txt', content: ownFile }]
    }
    if (reader % 5 === 0) one.subject = `For ${own}`
    return one
  }
  function* source() {
    for (let reader = 0; reader < READERS; reader++) {
      if (end === 'throw' && reader === at) throw new Error('The source is broken')
      yield fill(reader)
    }
  }
  async function* slowSource() {
    for (const each of source()) {
      if (random() < 0.2) await new Promise((resolve) => setImmediate(resolve))
      yield each
    }
  }
  const abort = new AbortController()
  const results: BatchResult[] = []
  let thrown: unknown
  const batch = runWithPostmark({ metadata: { scope: `scope ${name}` } }, () =>
    sendBatch(transporter, random() < 0.5 ? source() : slowSource(), {
      message,
      sendOnce: once,
      signal: abort.signal,
    }),
  )
  try {
    for await (const result of batch) {
      results.push(result)
      if (results.length <= at) continue
      if (end === 'break') break
      if (end === 'abort') abort.abort(new Error('Enough'))
    }
  } catch (error) {
    thrown = error
  }
  return { name, end, results, thrown }
}

/** What is not true of the results, or of what arrived. */
function findBroken(
  { name, end, results, thrown }: Awaited<ReturnType<typeof runBatch>>,
  mails: readonly SandboxMail[],
): string[] {
  const broken: string[] = []
  const copies = new Map<string, number>()
  for (const { envelope } of mails) {
    const [to] = envelope.to
    if (to!.startsWith(`${name}-`)) copies.set(to!, (copies.get(to!) ?? 0) + 1)
  }
  const told = new Set<string>()
  for (const { to, key, index, outcome } of results) {
    const address = `${name}-${index}@example.com`
    const named = typeof to === 'string' ? to : (to as { address: string }).address
    if (named !== address || key !== `${name}-${index}`) broken.push(`${address} is told as ${named}, ${key}`)
    if (told.has(address)) broken.push(`${address} is told twice`)
    told.add(address)
    const taken = copies.get(address) ?? 0
    if (outcome === 'sent' ? taken !== 1 : outcome !== 'unknown' && taken > 0)
      broken.push(`${address} is ${outcome}, and the server took ${taken}`)
  }
  for (const [to, taken] of copies) {
    if (taken > 1) broken.push(`${to} has ${taken} copies`)
    if (end !== 'break' && !told.has(to)) broken.push(`${to} arrived, and is not told`)
  }
  if (thrown === undefined && end === 'all' && results.length !== READERS)
    broken.push(`${name} has ${results.length} results`)
  return broken
}

it('tells the truth of each email, and mixes up nothing, where several batches share a transporter', async () => {
  const runs = size(40, 8)
  for (let seed = 1; seed <= runs; seed++) {
    const random = createRandom(seed)
    const faults = seededFaults(seed, { rate: random() * 0.15, maxDelayMs: LIMIT_MS / 4 })
    const sandbox: Sandbox = await startSandbox({
      faults: (connection, mail) => {
        const fault = faults(connection, mail)
        return fault && ['starttls', 'tls', 'auth'].includes(fault.phase) ? undefined : fault
      },
    })
    const once = random() < 0.5
    const transporter = createPostmarkTransport({
      ...{ url: sandbox.url, messageStream: 'broadcast', onWarning: () => {} },
      ...(once ? { sendOnce: createMemorySendOnce() } : {}),
      ...(random() < 0.5
        ? { suppressions: { find: () => new Promise((resolve) => setImmediate(resolve, [])) } }
        : {}),
      ...(random() < 0.3 ? { pool: { maxQueued: 5, maxConnections: 2 } } : {}),
      retry: { attempts: 50, baseMs: 10, deadlineMs: 60_000 },
      timeouts: { raceMs: 5_000, replyMs: LIMIT_MS, finalMs: LIMIT_MS },
    })
    if (random() < 0.3)
      transporter.use('compile', (_mail, done) => {
        setImmediate(done)
      })
    const batches = ['a', 'b', 'c'].slice(0, 1 + Math.floor(random() * 3))
    const all = batches.map((name) => runBatch(transporter, name, random, once))
    if (random() < 0.3) setImmediate(() => transporter.use('stream', (_mail, done) => done()))
    const ended = await Promise.all(all)
    await transporter.close()
    const broken = [
      ...ended.flatMap((batch) => findBroken(batch, sandbox.outbox)),
      ...sandbox.outbox.flatMap(wrongIn),
    ]
    await sandbox.close()
    expect({ seed, broken }).toEqual({ seed, broken: [] })
  }
})
