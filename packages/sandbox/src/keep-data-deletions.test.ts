import fs, { mkdtempSync, rmSync } from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createPostmarkTransport } from '@postmark-smtp/core'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { type Sandbox, startSandbox } from './sandbox.js'

let data: string
beforeEach(() => {
  data = mkdtempSync(join(tmpdir(), 'sandbox-data-'))
})
afterEach(() => rmSync(data, { recursive: true, force: true }))

const start = () => startSandbox({ data })

async function send(sandbox: Sandbox, ...subjects: string[]) {
  const transporter = createPostmarkTransport(sandbox.url)
  for (const subject of subjects) {
    await transporter.sendMail({ from: 'shop@example.com', to: 'ann@example.com', subject, text: 'Hello' })
  }
  await transporter.close()
}

const call = (page: string, method: string, path: string, body?: object) =>
  fetch(page + path, {
    method,
    headers: { 'Content-Type': 'application/json', 'X-Postmark-Server-Token': 'any' },
    ...(body && { body: JSON.stringify(body) }),
  })

/** As the form of the page. */
const submit = (page: string, path: string, fields: Record<string, string> = {}) =>
  fetch(page + path, {
    method: 'POST',
    headers: { Origin: new URL(page).origin },
    body: new URLSearchParams(fields),
    redirect: 'manual',
  })

const subjects = (sandbox: Sandbox) => sandbox.outbox.map(({ subject }) => subject)
const idOf = (sandbox: Sandbox, subject: string) =>
  sandbox.outbox.find((mail) => mail.subject === subject)!.messageId

/** Lets every write fail; returns what ends that. */
function fillDisk(): () => void {
  const { writeSync } = fs
  fs.writeSync = () => {
    throw new Error('ENOSPC: no space left on device, write')
  }
  syncBuiltinESMExports()
  return () => {
    fs.writeSync = writeSync
    syncBuiltinESMExports()
  }
}

/** A copy of the directory as a kill at this moment leaves it. */
async function afterKill<T>(look: (sandbox: Sandbox) => T): Promise<T> {
  const copy = mkdtempSync(join(tmpdir(), 'sandbox-data-'))
  for (const name of fs.readdirSync(data)) {
    if (name.endsWith('.log')) fs.copyFileSync(join(data, name), join(copy, name))
  }
  try {
    await using sandbox = await startSandbox({ data: copy })
    expect(sandbox.dataProblems).toEqual([])
    return look(sandbox)
  } finally {
    rmSync(copy, { recursive: true })
  }
}

it('keeps deletions on the page, one email or those of a filter, over a kill and over a restart', async () => {
  const first = await start()
  await send(first, 'one', 'two', 'drop a', 'drop b', 'three')
  expect((await submit(first.inboxUrl, `mails/${idOf(first, 'two')}/delete`)).status).toBe(303)
  expect(await afterKill(subjects)).toEqual(['one', 'drop a', 'drop b', 'three'])
  expect((await submit(first.inboxUrl, 'delete', { q: 'drop' })).status).toBe(303)
  expect(subjects(first)).toEqual(['one', 'three'])
  expect(await afterKill(subjects)).toEqual(['one', 'three'])
  await first.close()
  const second = await start()
  expect(subjects(second)).toEqual(['one', 'three'])
  await second.close()
})

it('keeps what the APIs deleted: emails, a suppression, a webhook', async () => {
  const first = await start()
  await send(first, 'one')
  for (const address of ['a@example.com', 'b@example.com']) first.suppress(address)
  const { id } = first.addWebhook({ url: 'http://127.0.0.1:9/gone' })
  first.addWebhook({ url: 'http://127.0.0.1:9/kept' })
  const answers = [
    await call(first.inboxUrl, 'DELETE', 'sandbox/suppressions', { Address: 'A@Example.com' }),
    await call(first.inboxUrl, 'DELETE', `webhooks/${id}`),
  ]
  expect(answers.map(({ status }) => status)).toEqual([200, 200])
  const look = ({ suppressions, webhooks, outbox }: Sandbox) => ({
    suppressions: suppressions.map(({ address }) => address),
    webhooks: webhooks.list.map(({ url }) => url),
    mails: outbox.length,
  })
  const kept = { suppressions: ['b@example.com'], webhooks: ['http://127.0.0.1:9/kept'], mails: 1 }
  expect(await afterKill(look)).toEqual(kept)
  expect((await call(first.inboxUrl, 'DELETE', 'sandbox/mails')).status).toBe(200)
  expect(await afterKill(look)).toEqual({ ...kept, suppressions: [], mails: 0 })
  await first.close()
})

it('deletes nothing, and changes nothing, that a full disk cannot write, and says so each time', async () => {
  const sandbox = await start()
  const { inboxUrl } = sandbox
  await send(sandbox, 'one', 'two')
  sandbox.suppress('a@example.com')
  const { id } = sandbox.addWebhook({ url: 'http://127.0.0.1:9/' })
  const mail = `mails/${idOf(sandbox, 'one')}/delete`
  const Address = 'b@example.com'
  const acts = [
    () => submit(inboxUrl, mail),
    () => submit(inboxUrl, 'delete', { q: 'two' }),
    () => submit(inboxUrl, 'clear'),
    () => call(inboxUrl, 'DELETE', 'sandbox/mails'),
    () => call(inboxUrl, 'POST', 'sandbox/suppressions', { Address }),
    () => call(inboxUrl, 'DELETE', 'sandbox/suppressions', { Address: 'a@example.com' }),
    () => call(inboxUrl, 'DELETE', `webhooks/${id}`),
    () => call(inboxUrl, 'POST', 'webhooks', { Url: 'http://127.0.0.1:9/new', Verify: false }),
  ]
  const look = ({ outbox, suppressions, webhooks }: Sandbox) => ({
    mails: outbox.map(({ subject }) => subject),
    suppressions: suppressions.map(({ address }) => address),
    webhooks: webhooks.list.map(({ url }) => url),
  })
  const before = look(sandbox)
  const restore = fillDisk()
  try {
    // The second try must not be told that there is nothing to do any more.
    for (const act of [...acts, ...acts]) expect((await act()).status).toBe(500)
    expect(look(sandbox)).toEqual(before)
  } finally {
    restore()
  }
  expect(await afterKill(look)).toEqual(before)
  await submit(inboxUrl, mail)
  expect(await afterKill(subjects)).toEqual(['two'])
  await sandbox.close()
})

it('has each event once that happens while the disk is full, and writes them as soon as it can', async () => {
  const sandbox = await start()
  const problems: string[] = []
  sandbox.on('dataProblem', (problem) => problems.push(problem))
  await send(sandbox, 'one', 'two')
  const [one, two] = sandbox.outbox
  const restore = fillDisk()
  try {
    sandbox.bounce(one!, 'SoftBounce')
    sandbox.open(one!)
    await sandbox.click(one!, 'https://example.com/')
    sandbox.complain(two!)
    sandbox.unsubscribe(one!)
  } finally {
    restore()
  }
  const look = ({ outbox, events, bounces, suppressions }: Sandbox) => ({
    events: outbox.map((mail) => events(mail).map(({ recordType }) => recordType)),
    bounces: bounces.map(({ type }) => type),
    suppressions: suppressions.length,
  })
  expect(problems).toHaveLength(5)
  expect(problems[0]).toBe(
    'Events are only in memory until the data directory can be written: ENOSPC: no space left on device, write.',
  )
  const now = look(sandbox)
  expect(now.bounces).toEqual(['SoftBounce', 'SpamComplaint'])
  await send(sandbox, 'three')
  expect(await afterKill(look)).toEqual(look(sandbox))
  expect(look(sandbox).events.slice(0, 2)).toEqual(now.events)
  await sandbox.close()
})

it('takes an email that its own listener clears away, and nothing of it is left', async () => {
  const first = await start()
  const bounced = 'HardBounce@bounce-testing.postmarkapp.com'
  first.on('mail', () => first.clear())
  const transporter = createPostmarkTransport(first.url)
  await transporter.sendMail({ from: 'shop@example.com', to: bounced, subject: 'Gone', text: 'Hello' })
  await transporter.close()
  const look = ({ outbox, bounces, suppressions }: Sandbox) =>
    [outbox, bounces, suppressions].map((list) => list.length)
  expect(look(first)).toEqual([0, 0, 0])
  await first.close()
  const second = await start()
  expect(look(second)).toEqual([0, 0, 0])
  await second.close()
})
