import { once } from 'node:events'
import { connect, Server, Socket } from 'node:net'
import { setImmediate } from 'node:timers/promises'
import { isPostmarkError, toHeaderEntries } from '@postmark-smtp/core'
import { createTransport } from 'nodemailer'
import { expect, it } from 'vitest'
import { type Sandbox, startSandbox } from './sandbox.js'
import { makeCertificate } from './smtp/certificate.js'

const fields = {
  messageStream: 'broadcast',
  tag: 'welcome',
  metadata: { Order: '42' },
  trackOpens: true,
}
const message = {
  from: 'Shop <shop@example.com>',
  to: 'Ann <ann@example.com>, bob@example.com',
  bcc: 'audit@example.com',
  subject: 'Grüße aus dem Laden',
  text: 'Hello',
}
const headers = toHeaderEntries(fields).map((entry) => ({ ...entry }))

function client(sandbox: Sandbox, tls = true) {
  const { host, port, ca } = sandbox
  const auth = { user: 'token', pass: 'token' }
  return createTransport({
    host,
    port,
    auth,
    ...(tls ? { requireTLS: true, tls: { ca } } : { ignoreTLS: true }),
  })
}

it.each([
  ['STARTTLS', true],
  ['plaintext', false],
])('keeps what a client sends over %s, with the fields that Postmark would read', async (_, secure) => {
  await using sandbox = await startSandbox()
  const info = await client(sandbox, secure).sendMail({ ...message, headers })

  const [mail] = sandbox.outbox
  expect(mail).toMatchObject({
    envelope: info.envelope,
    from: 'shop@example.com',
    to: ['ann@example.com', 'bob@example.com'],
    subject: message.subject,
    postmark: fields,
    secure,
  })
  expect(info.response).toBe(`250 2.0.0 Ok: queued as ${mail?.id}`)
  expect(mail?.receivedAt).toBeInstanceOf(Date)
  expect(mail?.headers).toContainEqual({ key: 'Subject', value: message.subject })
})

it('parses the content when it is asked for', async () => {
  await using sandbox = await startSandbox()
  const attachments = [{ filename: 'a.txt', content: 'file' }]
  await client(sandbox).sendMail({ ...message, html: '<p>Hello</p>', attachments })
  const mail = sandbox.outbox[0]!
  expect(await mail.parse()).toMatchObject({
    text: 'Hello',
    html: '<p>Hello</p>',
    attachments: [{ filename: 'a.txt', mimeType: 'text/plain', content: Buffer.from('file') }],
  })
  expect(mail.parse()).toBe(mail.parse())
})

it('prints an email without its bytes', async () => {
  await using sandbox = await startSandbox()
  await client(sandbox).sendMail(message)
  expect(Object.keys(sandbox.outbox[0]!)).not.toContain('raw')
  expect(sandbox.outbox[0]?.raw.toString()).toContain('\r\n\r\nHello\r\n')
})

it('gives the URL that createPostmarkTransport takes, with the token that it wants', async () => {
  await using sandbox = await startSandbox({ serverToken: 'a token' })
  expect(sandbox.url).toBe(`postmark+smtp://a%20token@127.0.0.1:${sandbox.port}?plaintext=1`)
  await using open = await startSandbox()
  const { username, searchParams } = new URL(open.url)
  const auth = { user: username, pass: username }
  expect(searchParams.get('plaintext')).toBe('1')
  expect(await createTransport({ host: open.host, port: open.port, ignoreTLS: true, auth }).verify()).toBe(
    true,
  )
})

it('waits for an email that is there and for one that is yet to come', async () => {
  await using sandbox = await startSandbox()
  const coming = sandbox.waitFor({ to: 'AUDIT@example.com', postmark: { tag: 'welcome' } })
  await client(sandbox).sendMail({ ...message, headers })
  expect(await coming).toBe(sandbox.outbox[0])
  expect(await sandbox.waitFor((mail) => mail.from === 'shop@example.com')).toBe(sandbox.outbox[0])
  sandbox.clear()
  expect(sandbox.outbox).toEqual([])
})

it('says what arrived instead of the email that was waited for', async () => {
  await using sandbox = await startSandbox()
  const wanted = { subject: /receipt/i }
  await expect(sandbox.waitFor(wanted, { timeoutMs: 1 })).rejects.toThrow(
    'No email with { subject: /receipt/i } arrived within 1 ms. Nothing arrived at all.',
  )
  const failing = sandbox.waitFor(() => {
    throw new TypeError('a fault of the function')
  })
  failing.catch(() => {})
  await client(sandbox).sendMail({ ...message, subject: 'Hi', headers })
  await expect(failing).rejects.toThrow(TypeError)
  await expect(sandbox.waitFor(wanted, { timeoutMs: 1 })).rejects.toThrow(
    'These arrived:\n  - to ann@example.com, bob@example.com, audit@example.com, ' +
      `subject 'Hi', postmark { messageStream: 'broadcast', tag: 'welcome'`,
  )
})

it('refuses a key of waitFor that it does not know, which would match any email', async () => {
  await using sandbox = await startSandbox()
  await expect(sandbox.waitFor({ tags: 'welcome' } as object)).rejects.toMatchObject({
    code: 'ERR_POSTMARK_OPTIONS',
    message: expect.stringContaining('"tags"'),
  })
})

it('shows a certificate that was given', async () => {
  const tls = await makeCertificate()
  await using sandbox = await startSandbox({ tls })
  expect(sandbox.ca).toBe(tls.cert)
  await client(sandbox).sendMail(message)
  expect(sandbox.outbox).toMatchObject([{ secure: true }])
})

it('plays back what recipients do, and what became of an email', async () => {
  await using sandbox = await startSandbox()
  await client(sandbox).sendMail({ ...message, text: 'See https://example.com/' })
  const mail = sandbox.outbox[0]!
  sandbox.open(mail)
  await sandbox.click(mail)
  sandbox.bounce(mail, 'HardBounce')
  sandbox.complain(mail, 'bob@example.com')
  sandbox.unsubscribe(mail, 'audit@example.com')
  expect(sandbox.events(mail).map(({ recordType }) => recordType)).toEqual([
    ...['Delivery', 'Delivery', 'Delivery', 'Open', 'Click', 'Bounce', 'SubscriptionChange'],
    ...['SpamComplaint', 'SubscriptionChange', 'SubscriptionChange'],
  ])
  expect(sandbox.bounces.map(({ type }) => type)).toEqual(['HardBounce', 'SpamComplaint'])
  expect(sandbox.suppressions.map(({ reason }) => reason)).toEqual([
    'HardBounce',
    'SpamComplaint',
    'ManualSuppression',
  ])
  await client(sandbox).sendMail(message)
  expect(sandbox.bounces[2]).toMatchObject({ type: 'SMTPApiError', errorCode: 406 })
  sandbox.unsuppress('ann@example.com')
  sandbox.suppress('bob@example.com', { stream: 'broadcast' })
  await client(sandbox).sendMail(message)
  expect(sandbox.events(sandbox.outbox[2]!)).toMatchObject([{ recipient: 'ann@example.com' }])
})

it('says which port is taken and what to do', async () => {
  await using sandbox = await startSandbox()
  const { port } = sandbox
  const error = await startSandbox({ port }).catch((reason: unknown) => reason)
  expect(isPostmarkError(error)).toBe(true)
  expect(String(error)).toContain(
    `cannot listen on 127.0.0.1:${port}: another process listens there. Stop that`,
  )
  await expect(startSandbox({ port: 70_000 })).rejects.toThrow('Use a port from 1024 to 65535')
})

it('closes although a client holds on, ends the waiting, and leaves no handle', async () => {
  // The process is shared with other test files, whose connections may not be closed yet: only new handles count.
  const handles = () => (process as unknown as { _getActiveHandles(): object[] })._getActiveHandles()
  const before = new Set(handles())
  const sandbox = await startSandbox()
  const socket = connect(sandbox.port, sandbox.host)
  await once(socket, 'data')
  const waiting = expect(sandbox.waitFor(() => true)).rejects.toThrow('before the sandbox was closed')
  await Promise.all([sandbox.close(), sandbox.close(), waiting, once(socket, 'close')])
  await setImmediate()
  const left = handles().filter(
    (each) => !before.has(each) && (each instanceof Socket || each instanceof Server),
  )
  expect(left).toEqual([])
})
