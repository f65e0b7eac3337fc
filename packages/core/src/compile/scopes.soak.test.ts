import { setImmediate as turn } from 'node:timers/promises'
import { size } from '@postmark-smtp/testing'
import { createTransport } from 'nodemailer'
import { expect, it } from 'vitest'
import { currentPostmark, runWithPostmark, updatePostmark } from '../context/context.js'
import type { CompilePlugin } from '../message/nodemailer-types.js'
import type { PostmarkFields } from '../vocabulary/vocabulary.js'
import { attachPostmark } from './attach.js'

const SCOPES = 500

/** A transporter that puts emails into memory, and holds each one until the postman comes. */
function createBatchingTransport() {
  const held: (() => void)[] = []
  const transporter = createTransport({ streamTransport: true, buffer: true, newline: 'windows' })
  const hold: CompilePlugin = (_mail, done) => {
    held.push(done)
  }
  transporter.use('compile', hold as never)
  let open = true
  /** Releases emails in batches, the youngest first, from a scope of its own that must mark no email. */
  const postman = runWithPostmark(
    { tag: 'postman', metadata: { postman: 1 }, messageStream: 'postman' },
    async () => {
      while (open || held.length > 0) {
        for (const release of held.splice(0, 64).reverse()) release()
        await turn()
      }
    },
  )
  return {
    transporter: attachPostmark(transporter),
    async close() {
      open = false
      await postman
    },
  }
}

type Sender = ReturnType<typeof createBatchingTransport>['transporter']

/** Sends an email and returns the Postmark lines of its bytes, with its subject. */
async function send(transporter: Sender, subject: string, postmark?: PostmarkFields): Promise<string[]> {
  const info = await transporter.sendMail({
    from: 'shop@example.com',
    to: 'a@example.com',
    subject,
    text: 'x',
    ...(postmark ? { postmark } : {}),
  })
  const [block = ''] = String(info.message).split('\r\n\r\n')
  return block
    .split('\r\n')
    .filter((line) => /^(X-PM-|Subject:)/i.test(line))
    .sort()
}

const lines = (subject: string, tag: string, metadata: Readonly<Record<string, string>>) =>
  [
    `Subject: ${subject}`,
    `X-PM-Tag: ${tag}`,
    ...Object.entries(metadata).map(([key, value]) => `X-PM-Metadata-${key}: ${value}`),
  ].sort()

/** Counts emails, and keeps the first that carry something else than they should. */
function createLedger() {
  const wrong: { found: string[]; wanted: string[] }[] = []
  let mails = 0
  return {
    wrong,
    count: () => mails,
    enter(found: string[], wanted: string[]) {
      mails++
      if (found.join('\n') !== wanted.join('\n') && wrong.length < 5) wrong.push({ found, wanted })
    },
  }
}

it('stamps each email with its own scope, however 500 scopes interleave behind a batching plugin', async () => {
  const total = size(40_000, 10, 100_000)
  const { transporter, close } = createBatchingTransport()
  const ledger = createLedger()
  const scope = (id: number) =>
    runWithPostmark({ tag: `scope-${id}`, metadata: { scopeId: id } }, async () => {
      const mine = { scopeId: `${id}` }
      for (let sent = 0; sent < total / SCOPES; ) {
        const name = `${id}.${sent}`
        // One update, a nested scope, fields on the message and a function: four emails at a time.
        updatePostmark({ metadata: { round: name } })
        const outer = { ...mine, round: name }
        const plain = send(transporter, name)
        const nested = runWithPostmark({ tag: `${name}-nested`, metadata: { SCOPEID: name } }, async () => {
          await turn()
          return send(transporter, name)
        })
        const own = send(transporter, name, { tag: `${name}-own`, metadata: { own: name } })
        const late = runWithPostmark(
          () => ({ tag: `${name}-${currentPostmark()?.tag}` }),
          () => send(transporter, name),
        )
        ledger.enter(await plain, lines(name, `scope-${id}`, outer))
        ledger.enter(await nested, lines(name, `${name}-nested`, { SCOPEID: name, round: name }))
        ledger.enter(await own, lines(name, `${name}-own`, { ...outer, own: name }))
        ledger.enter(await late, lines(name, `${name}-scope-${id}`, outer))
        sent += 4
      }
    })
  await Promise.all(Array.from({ length: SCOPES }, (_, id) => scope(id)))
  await close()
  expect(ledger.wrong).toEqual([])
  expect(ledger.count()).toBe(total)
})

it('keeps jobs apart from the request in whose scope their worker was created', async () => {
  const total = size(20_000)
  const { transporter, close } = createBatchingTransport()
  const ledger = createLedger()
  const jobs: { name: string; carried: PostmarkFields | undefined; done: () => void }[] = []
  let worker: Promise<void> | undefined
  let open = true
  /** As a queue library does: the loop is born at the first job, inside that request. */
  const enqueue = (name: string) =>
    new Promise<void>((done) => {
      jobs.push({ name, carried: JSON.parse(JSON.stringify(currentPostmark())), done })
      worker ??= (async () => {
        while (open || jobs.length > 0) {
          await Promise.all(
            jobs.splice(0, 50).map(async ({ name, carried, done }) => {
              const work = () => send(transporter, name)
              ledger.enter(
                await runWithPostmark(carried ?? {}, work, { inherit: false }),
                lines(name, `request-${name}`, { [`r${name.split('.')[0]}`]: name }),
              )
              done()
            }),
          )
          await turn()
        }
      })()
    })
  const request = async (id: number) => {
    for (let round = 0; round < total / SCOPES; round++) {
      const name = `${id}.${round}`
      // A key that no other request has: what leaks into another email shows there.
      await runWithPostmark({ tag: `request-${name}`, metadata: { [`r${id}`]: name } }, () => enqueue(name))
    }
  }
  await Promise.all(Array.from({ length: SCOPES }, (_, id) => request(id)))
  open = false
  await worker
  await close()
  expect(ledger.wrong).toEqual([])
  expect(ledger.count()).toBe(total)
})
