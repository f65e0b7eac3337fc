import { once } from 'node:events'
import fs, { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createPostmarkTransport } from '@postmark-smtp/core'
import { createTransport } from 'nodemailer'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { type Sandbox, type SandboxOptions, startSandbox } from './sandbox.js'

let data: string
beforeEach(() => {
  data = mkdtempSync(join(tmpdir(), 'sandbox-data-'))
})
afterEach(() => rmSync(data, { recursive: true, force: true }))

/** Lets every write end after 40 bytes; returns what ends that. */
function fillDisk(): () => void {
  const { writeSync } = fs
  let written = 0
  fs.writeSync = ((file: number, bytes: Buffer, from: number, length: number, position: number) => {
    if (written >= 40) {
      written = 0
      throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' })
    }
    written = 40
    return writeSync(file, bytes, from, Math.min(length, 40), position)
  }) as typeof fs.writeSync
  syncBuiltinESMExports()
  return () => {
    fs.writeSync = writeSync
    syncBuiltinESMExports()
  }
}

const MESSAGE = { from: 'shop@example.com', to: 'ann@example.com', subject: 'Welcome', text: 'Hello' }
const start = (options: SandboxOptions = {}) => startSandbox({ data, ...options })

async function send(sandbox: Sandbox, ...messages: object[]) {
  const transporter = createPostmarkTransport(sandbox.url)
  for (const message of messages) await transporter.sendMail({ ...MESSAGE, ...message })
  await transporter.close()
}

/** With the values of getters. */
const plain = (value: object): unknown => JSON.parse(JSON.stringify(value))

/** What users see of a sandbox, times and IDs included. */
async function look(sandbox: Sandbox) {
  const { outbox, bounces, suppressions, webhooks } = sandbox
  const mails = outbox.map(async (mail) => ({
    ...mail,
    raw: mail.raw.toString('latin1'),
    content: await mail.parse(),
    events: sandbox
      .events(mail)
      .map(({ payload, ...event }) => ({ ...event, payload, mail: event.mail?.id })),
  }))
  return {
    mails: plain(await Promise.all(mails)),
    bounces: plain(bounces.map(({ mail, ...bounce }) => ({ ...bounce, mail: mail.id }))),
    suppressions: [...suppressions],
    webhooks: webhooks.list.map((webhook) => ({
      ...webhook,
      login: webhook.basicAuth,
      sent: webhook.headers,
    })),
  }
}

it('is the same after a restart: emails with what came of them, suppressions, webhooks', async () => {
  const first = await start({ streams: ['receipts'] })
  await send(
    first,
    { subject: 'Grüße', attachments: [{ filename: 'a.png', content: Buffer.alloc(300, 0xff) }] },
    {
      postmark: { messageStream: 'receipts', tag: 'a', metadata: { 'order-id': '42' } },
      bcc: 'bob@example.com',
    },
    { postmark: { messageStream: 'nowhere' } },
    { to: 'HardBounce@bounce-testing.postmarkapp.com' },
  )
  first.open(first.outbox[0]!)
  first.complain(first.outbox[1]!, 'bob@example.com')
  first.unsubscribe(first.outbox[1]!)
  first.suppress('carl@example.com', { stream: 'broadcast' })
  first.suppress('dora@example.com')
  first.unsuppress('dora@example.com')
  first.addWebhook({
    url: 'http://me:pass-1@127.0.0.1:9/hook',
    stream: 'receipts',
    triggers: { Open: { enabled: true, postFirstOpenOnly: true } },
    headers: { 'X-Secret': 's3' },
  })
  const before = await look(first)
  await first.close()

  const second = await start({ streams: ['receipts'] })
  expect(second.dataProblems).toEqual([])
  expect(await look(second)).toEqual(before)
  expect(before.webhooks[0]).toMatchObject({
    login: { username: 'me', password: 'pass-1' },
    sent: { 'X-Secret': 's3' },
  })
  // And goes on where it was: no ID is given twice, a second open is no first one.
  const bounce = second.bounce(second.outbox[0]!, 'SoftBounce')
  expect(Math.max(...second.bounces.map(({ id }) => id))).toBe(bounce.id)
  expect(second.open(second.outbox[0]!).payload.FirstOpen).toBe(false)
  await send(second, { to: 'HardBounce@bounce-testing.postmarkapp.com' })
  expect(second.outbox.at(-1)!.verdict.problems[0]).toMatchObject({ errorCode: 406 })
  await second.close()
})

it('keeps an email without a byte, which gets 250 too, and the emails around it', async () => {
  const first = await start()
  await send(first, { subject: 'Before' })
  const socket = connect(first.port, first.host)
  const login = Buffer.from(`\0${first.token}\0${first.token}`).toString('base64')
  const commands = [
    'EHLO test',
    `AUTH PLAIN ${login}`,
    'MAIL FROM:<shop@example.com>',
    'RCPT TO:<ann@example.com>',
    'DATA',
    '.',
  ]
  const next = async () => String((await once(socket, 'data'))[0])
  let reply = await next()
  for (const command of commands) {
    socket.write(`${command}\r\n`)
    reply = await next()
  }
  socket.destroy()
  expect(reply).toMatch(/^250 2\.0\.0 Ok: queued/)
  await send(first, { subject: 'After' })
  const before = await look(first)
  await first.close()
  const second = await start()
  expect(second.dataProblems).toEqual([])
  expect(second.outbox).toHaveLength(3)
  expect(await look(second)).toEqual(before)
  await second.close()
})

it('keeps what was cleared away, and nothing of it is left on the disk', async () => {
  const first = await start()
  await send(first, { text: 'a secret of five words' }, { to: 'HardBounce@bounce-testing.postmarkapp.com' })
  const lastBounce = first.bounces.at(-1)!.id
  first.clear()
  await send(first, { subject: 'After' })
  await first.close()
  const second = await start()
  expect(second.outbox.map(({ subject }) => subject)).toEqual(['After'])
  expect(second.suppressions).toEqual([])
  expect(second.bounce(second.outbox[0]!, 'Blocked').id).toBe(lastBounce + 1)
  await second.close()
  const onDisk = readdirSync(data).map((name) => readFileSync(join(data, name), 'latin1'))
  expect(onDisk.join()).toContain('Subject: After')
  expect(onDisk.join()).not.toContain('a secret of five words')
})

it('holds the caps over restarts, and the disk does not grow with what goes', async () => {
  const first = await start({ keep: { mails: 3 } })
  await send(first, ...[1, 2, 3, 4, 5].map((n) => ({ subject: String(n) })))
  await first.close()
  const second = await start({ keep: { mails: 2 } })
  expect(second.outbox.map(({ subject }) => subject)).toEqual(['4', '5'])
  await second.close()
  const third = await start()
  expect(third.outbox.map(({ subject }) => subject)).toEqual(['4', '5'])
  await third.close()
})

it('has the webhooks of the options once, as each start gives them, and beside them those that were added', async () => {
  const webhooks = [{ url: 'http://127.0.0.1:9/declared' }]
  const first = await start({ webhooks })
  const added = first.addWebhook({ url: 'http://127.0.0.1:9/added' })
  const removed = first.addWebhook({ url: 'http://127.0.0.1:9/removed' })
  first.webhooks.remove(removed.id)
  await first.close()
  const second = await start({ webhooks: [...webhooks, { url: 'http://127.0.0.1:9/new' }] })
  expect(second.webhooks.list.map(({ id, url }) => [id, url.split('/').at(-1)])).toEqual([
    [added.id, 'added'],
    [1, 'declared'],
    [3, 'new'],
  ])
  await second.close()
})

it('leaves out a webhook whose message stream is gone, and says so', async () => {
  const first = await start({ streams: ['receipts'] })
  first.addWebhook({ url: 'http://127.0.0.1:9/', stream: 'receipts' })
  await first.close()
  const second = await start()
  expect(second.webhooks.list).toEqual([])
  expect(second.dataProblems).toEqual([expect.stringMatching(/^Webhook 1 was not restored: Option stream/)])
  await second.close()
})

it('keeps a stream that the API made, and its state', async () => {
  const edit = (sandbox: Sandbox, method: string, path: string, body: object = {}) =>
    fetch(`${sandbox.apiUrl}/message-streams${path}`, {
      ...{ method, body: JSON.stringify(body) },
      headers: { 'X-Postmark-Server-Token': sandbox.token, 'Content-Type': 'application/json' },
    })
  const first = await start()
  await edit(first, 'POST', '', { ID: 'news', Name: 'News', MessageStreamType: 'Broadcasts' })
  await edit(first, 'POST', '/broadcast/archive')
  first.addWebhook({ url: 'http://127.0.0.1:9/', stream: 'news' })
  await first.close()
  const second = await start()
  await send(second, { postmark: { messageStream: 'news' } }, { postmark: { messageStream: 'broadcast' } })
  expect(second.outbox.map(({ verdict }) => verdict.outcome)).toEqual(['sent', 'refused'])
  expect(second.webhooks.list).toMatchObject([{ stream: 'news' }])
  await second.close()
})

it('is refused to a second sandbox, and free after the first, whatever its start ended with', async () => {
  const first = await start()
  await expect(start()).rejects.toThrow(`Another sandbox uses the data directory ${data}.`)
  await first.close()
  await expect(start({ streams: ['NO'] })).rejects.toThrow('streams')
  await expect(start({ smtpTokens: [{} as never] })).rejects.toThrow('smtpTokens')
  await (await start()).close()
})

it('can be read by its user only, for it has emails and logins of webhooks in it', async () => {
  await using sandbox = await startSandbox({ data: join(data, 'new', 'deeper') })
  expect(sandbox.dataProblems).toEqual([])
  const folder = join(data, 'new', 'deeper')
  expect(statSync(folder).mode & 0o077).toBe(0)
  for (const name of readdirSync(folder).filter((name) => name.endsWith('.log')))
    expect(statSync(join(folder, name)).mode & 0o077).toBe(0)
})

it('answers 452 to an email that cannot be written, says why, and keeps neither half of it nor a gap', async () => {
  const sandbox = await start()
  await send(sandbox, { subject: 'Before' })
  const problems: string[] = []
  sandbox.on('dataProblem', (problem) => problems.push(problem))
  const restore = fillDisk()
  try {
    const mail = { ...MESSAGE, subject: 'Lost' }
    // Nodemailer's own, which does not try again.
    const { host, port, token } = sandbox
    const refused = createTransport({ host, port, ignoreTLS: true, auth: { user: token, pass: token } })
    await expect(refused.sendMail(mail)).rejects.toThrow('452 4.3.1')
    await sandbox.fail({ phase: 'rcpt', kind: 'delay', ms: 0 })
    await expect(refused.sendMail(mail)).rejects.toThrow('452 4.3.1')
  } finally {
    restore()
  }
  await send(sandbox, { subject: 'After' })
  expect(problems).toEqual(
    Array(2).fill(
      'An email got 452, because it could not be written to the data directory: ENOSPC: no space left on device, write.',
    ),
  )
  expect(sandbox.outbox.map(({ subject }) => subject)).toEqual(['Before', 'After'])
  await sandbox.close()
  const second = await start()
  expect(second.outbox.map(({ subject }) => subject)).toEqual(['Before', 'After'])
  expect(second.dataProblems).toEqual([])
  await second.close()
})

it('refuses an option that is no path', async () => {
  await expect(startSandbox({ data: '' })).rejects.toThrow('Option data')
})
