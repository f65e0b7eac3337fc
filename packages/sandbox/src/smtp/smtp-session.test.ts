import { createHmac } from 'node:crypto'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { expect, it, vi } from 'vitest'
import { type SandboxOptions, startSandbox } from '../sandbox.js'

const TOKEN = '4a1a3ab5-5a4d-4b0c-8d0c-000000000001'
const ACCESS_KEY = 'PM-T-outbound-abc'
const OK = '235 Authentication successful'
const REFUSED = '535 5.7.8 Error: authentication failed: '
const base64 = (text: string) => Buffer.from(text).toString('base64')
const plain = (user: string, password: string) => `AUTH PLAIN ${base64(`\0${user}\0${password}`)}`

it('greets and lists what Postmark lists', async () => {
  expect(await dialogue(['EHLO me', 'QUIT'])).toEqual([
    '220 smtp.sandbox ESMTP',
    '250-smtp.sandbox',
    '250-PIPELINING',
    '250-8BITMIME',
    '250-DSN',
    '250-AUTH PLAIN LOGIN CRAM-MD5',
    '250-STARTTLS',
    '250 SIZE 20480000',
    '221 Bye',
  ])
})

it('greets at once, and once: no timer of smtp-server has to fire', async () => {
  await using sandbox = await startSandbox()
  vi.useFakeTimers({ toFake: ['setTimeout'] })
  try {
    const socket = connect(sandbox.port, '127.0.0.1').setEncoding('latin1')
    let heard = ''
    socket.on('data', (chunk) => {
      heard += chunk
    })
    await once(socket, 'data')
    expect(heard).toBe('220 smtp.sandbox ESMTP\r\n')
    vi.advanceTimersByTime(1000)
    socket.write('QUIT\r\n')
    await once(socket, 'close')
    expect(heard).toBe('220 smtp.sandbox ESMTP\r\n221 Bye\r\n')
  } finally {
    vi.useRealTimers()
  }
})

it('answers each command of an email byte for byte', async () => {
  const envelope = ['MAIL FROM:<a@x.org>', 'RCPT TO:<b@x.org>', 'DATA']
  const replies = await dialogue([
    'EHLO me',
    plain(TOKEN, TOKEN),
    ...envelope,
    'Subject: Hi\r\n\r\n.',
    'QUIT',
  ])
  expect(replies.slice(8)).toEqual([
    OK,
    '250 Accepted',
    '250 Accepted',
    '354 End data with <CR><LF>.<CR><LF>',
    expect.stringMatching(/^250 2\.0\.0 Ok: queued as [0-9A-F]{10}$/),
    '221 Bye',
  ])
})

it('wants a login before an email', async () => {
  const replies = await dialogue(['EHLO me', 'MAIL FROM:<a@x.org>', 'QUIT'])
  expect(replies.at(-2)).toBe('530 Error: authentication Required')
})

it.each<[string, string, string, SandboxOptions, string]>([
  ['any server token, which is its own password', TOKEN, TOKEN, {}, OK],
  ['no server token with another password', TOKEN, 'else', {}, REFUSED],
  ['any SMTP token, whose secret is its own', ACCESS_KEY, 'secret', {}, OK],
  ['the server token it was given', TOKEN, TOKEN, { serverToken: TOKEN }, OK],
  ['no other server token then', 'other', 'other', { serverToken: TOKEN }, REFUSED],
  ['no SMTP token then', ACCESS_KEY, 'secret', { serverToken: TOKEN }, REFUSED],
  ['no empty user name', '', '', {}, REFUSED],
])('lets in with each mechanism: %s', async (_, user, password, options, reply) => {
  const last = async (lines: Line[]) => (await dialogue(['EHLO me', ...lines, 'QUIT'], options)).at(-2)
  expect(await last([plain(user, password)])).toBe(reply)
  expect(await last(['AUTH CRAM-MD5', (challenge) => cramMd5(challenge, user, password)])).toBe(reply)
  if (user !== '') expect(await last(['AUTH LOGIN', base64(user), base64(password)])).toBe(reply)
})

const OTHER = 'PM-B-news-xyz'
const smtpTokens = [{ accessKey: ACCESS_KEY, secretKey: 'right', stream: 'receipts' }]
const settings = { smtpApiActivated: false }

it.each<[string, string, string, SandboxOptions, string]>([
  ['each of several server tokens', 'second', 'second', { serverToken: [TOKEN, 'second'] }, OK],
  ['an SMTP token with its secret', ACCESS_KEY, 'right', { smtpTokens, streams: ['receipts'] }, OK],
  ['no SMTP token with another', ACCESS_KEY, 'wrong', { smtpTokens, streams: ['receipts'] }, REFUSED],
  ['no SMTP token but those given', OTHER, 'right', { smtpTokens, streams: ['receipts'] }, REFUSED],
  ['any server token beside them', TOKEN, TOKEN, { smtpTokens, streams: ['receipts'] }, OK],
  ['nobody while SMTP is switched off', TOKEN, TOKEN, { settings }, REFUSED],
])('lets in with each mechanism: %s', async (_, user, password, options, reply) => {
  const last = async (lines: Line[]) => (await dialogue(['EHLO me', ...lines, 'QUIT'], options)).at(-2)
  expect(await last([plain(user, password)])).toBe(reply)
  expect(await last(['AUTH CRAM-MD5', (challenge) => cramMd5(challenge, user, password)])).toBe(reply)
  expect(await last(['AUTH LOGIN', base64(user), base64(password)])).toBe(reply)
})

const MAIL: Line[] = ['MAIL FROM:<a@x.org>', 'RCPT TO:<b@x.org>', 'DATA', 'From: a@x.org\r\n\r\n.', 'QUIT']

it.each([
  ['a transactional token', 'PM-T-abc', 'outbound'],
  ['a broadcasts token', 'PM-B-abc', 'broadcast'],
  ['a token that was given', 'PM-T-given', 'receipts'],
])('sends through the stream of %s', async (_, accessKey, stream) => {
  const given = [{ accessKey, secretKey: 'secret', stream }]
  const options = accessKey === 'PM-T-given' ? { smtpTokens: given, streams: ['receipts'] } : {}
  await using sandbox = await startSandbox(options)
  await dialogue(['EHLO me', plain(accessKey, 'secret'), ...MAIL], {}, sandbox)
  expect(sandbox.outbox).toMatchObject([{ stream, verdict: { outcome: 'sent' } }])
})

it('knows at which of its ports an email came in', async () => {
  await using sandbox = await startSandbox({ ports: [0], broadcastsPort: 0 })
  const ports = [...sandbox.ports, sandbox.broadcastsPort!]
  expect(new Set(ports).size).toBe(3)
  for (const port of ports) await dialogue(['EHLO me', plain(TOKEN, TOKEN), ...MAIL], {}, { port })
  expect(sandbox.outbox.map(({ hostType }) => hostType)).toEqual([
    'transactional',
    'transactional',
    'broadcasts',
  ])
  await using one = await startSandbox()
  await dialogue(['EHLO me', plain(TOKEN, TOKEN), ...MAIL], {}, one)
  expect(one.outbox).toMatchObject([{ hostType: undefined }])
  expect(one.broadcastsPort).toBeUndefined()
})

it('leaves no port open where another one is taken', async () => {
  await using first = await startSandbox()
  await expect(startSandbox({ broadcastsPort: first.port })).rejects.toThrow('another process listens there')
  const free = await startSandbox()
  const { port } = free
  await free.close()
  await expect(startSandbox({ port, broadcastsPort: first.port })).rejects.toThrow(`:${first.port}`)
  await using again = await startSandbox({ port })
  expect(again.port).toBe(port)
})

it('refuses a message above SIZE, and keeps none of it', async () => {
  const sandbox = await startSandbox()
  const line = `${'x'.repeat(998)}\r\n`
  const commands = ['EHLO me', plain(TOKEN, TOKEN), 'MAIL FROM:<a@x.org>', 'RCPT TO:<b@x.org>', 'DATA']
  const replies = await dialogue(
    [...commands, `Subject: big\r\n\r\n${line.repeat(20_500)}.`, 'QUIT'],
    {},
    sandbox,
  )
  expect(replies.at(-2)).toBe('552 5.3.4 Error: message file too big')
  expect(sandbox.outbox).toEqual([])
  await sandbox.close()
})

it.each([
  ['of more than a megabyte', `X-Long: ${'x'.repeat(900)}\r\n`.repeat(1200)],
  ['of more than ten thousand lines', 'a:\r\n'.repeat(10_001)],
])('refuses a header block %s, and goes on', async (_, header) => {
  await using sandbox = await startSandbox()
  const envelope = ['MAIL FROM:<a@x.org>', 'RCPT TO:<b@x.org>', 'DATA']
  const mails = [...envelope, `${header}\r\nHi\r\n.`, ...envelope, 'Subject: small\r\n\r\nHi\r\n.']
  const replies = await dialogue(['EHLO me', plain(TOKEN, TOKEN), ...mails, 'QUIT'], {}, sandbox)
  expect(replies).toContain('552 5.3.4 Error: message header too big')
  expect(sandbox.outbox.map(({ subject }) => subject)).toEqual(['small'])
})

it('takes a thousand recipients', async () => {
  await using sandbox = await startSandbox()
  const recipients = Array.from({ length: 1001 }, (_, i) => `RCPT TO:<a${i}@x.org>`)
  const lines = [
    'EHLO me',
    plain(TOKEN, TOKEN),
    'MAIL FROM:<a@x.org>',
    ...recipients,
    'DATA',
    'From: a@x.org\r\n\r\n.',
    'QUIT',
  ]
  expect(await dialogue(lines, {}, sandbox)).toContain('452 Error: too many recipients')
  expect(sandbox.outbox[0]?.envelope.to).toHaveLength(1000)
})

type Line = string | ((lastReply: string) => string)

/** Says one line after each whole reply, and returns the lines of all replies. */
async function dialogue(
  lines: Line[],
  options: SandboxOptions = {},
  running?: { port: number },
): Promise<string[]> {
  const own = running ? undefined : await startSandbox(options)
  const { port } = (running ?? own)!
  const socket: Socket = connect(port, '127.0.0.1')
  const replies: string[] = []
  const left = [...lines]
  let rest = ''
  for await (const chunk of socket.setEncoding('latin1')) {
    const whole = (rest + chunk).split('\r\n')
    rest = whole.pop()!
    replies.push(...whole)
    const last = replies.at(-1) ?? ''
    const next = rest === '' && /^\d{3} /.test(last) ? left.shift() : undefined
    if (next !== undefined) socket.write(`${typeof next === 'string' ? next : next(last)}\r\n`)
  }
  await own?.close()
  return replies
}

function cramMd5(reply: string, user: string, password: string): string {
  const challenge = Buffer.from(reply.slice(4), 'base64')
  return base64(`${user} ${createHmac('md5', password).update(challenge).digest('hex')}`)
}
