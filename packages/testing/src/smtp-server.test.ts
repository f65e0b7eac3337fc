import { connect } from 'node:net'
import { createTransport } from 'nodemailer'
import { expect, it } from 'vitest'
import { type SmtpServer, startSmtpServer } from './smtp-server.js'
import type { SmtpServerOptions } from './smtp-session.js'

const user = 'user@example.com'
const pass = 'p\u00e4ss=word'
const message = {
  from: 'a@example.com',
  to: ['b@example.com', 'c@example.com'],
  subject: 'Hello',
  text: '.dot',
}

function client(server: SmtpServer, authMethod = 'PLAIN', password = pass) {
  const { host, port, ca } = server
  return createTransport({
    host,
    port,
    requireTLS: true,
    tls: { ca },
    authMethod,
    auth: { user, pass: password },
  })
}

it.each(['PLAIN', 'LOGIN', 'CRAM-MD5'])(
  'receives over STARTTLS what a client sends after %s',
  async (method) => {
    await using server = await startSmtpServer({ auth: [{ user, pass }] })
    const info = await client(server, method).sendMail(message)

    const [mail] = server.mails
    expect(info.response).toBe('250 OK: message queued')
    expect(mail).toMatchObject({ user, authMethod: method, secure: true, envelope: info.envelope })
    expect(mail?.headerLines).toContain('To: b@example.com, c@example.com')
    expect(mail?.header('SUBJECT')).toBe('Hello')
    expect(mail?.body).toBe('.dot\r\n')
    expect(server.connections).toBe(1)
  },
)

it.each(['PLAIN', 'LOGIN', 'CRAM-MD5'])('refuses a wrong password after %s', async (method) => {
  await using server = await startSmtpServer({ auth: [{ user, pass }] })
  await expect(client(server, method, 'wrong').sendMail(message)).rejects.toMatchObject({
    code: 'EAUTH',
    response: '535 5.7.8 Error: authentication failed: ',
  })
  expect(server.mails).toEqual([])
})

it.each<[string, SmtpServerOptions, string[], string[]]>([
  ['everything by default', {}, ['STARTTLS', 'AUTH PLAIN LOGIN CRAM-MD5'], []],
  ['no STARTTLS when told', { tls: false }, ['AUTH PLAIN LOGIN CRAM-MD5'], ['STARTTLS']],
  ['no AUTH when told', { auth: 'none' }, ['STARTTLS'], ['AUTH']],
  ['the mechanisms it was given', { authMethods: ['CRAM-MD5'] }, ['AUTH CRAM-MD5'], ['PLAIN']],
])('offers %s', async (_, options, offered, missing) => {
  await using server = await startSmtpServer(options)
  const reply = await talk(server, 'EHLO me\r\nQUIT\r\n')
  for (const word of offered) expect(reply).toContain(word)
  for (const word of missing) expect(reply).not.toContain(word)
})

it('keeps the bytes: folding, a dot at the start of a line, repeated recipients', async () => {
  await using server = await startSmtpServer({ auth: 'none' })
  const data = 'Subject: one\r\n two\r\nX-Raw: \u00e9\r\n\r\n..dot\r\n'
  const envelope = 'MAIL FROM:<>\r\nRCPT TO:<b@x.org>\r\nRCPT TO:<a@x.org>\r\nRCPT TO:<b@x.org>\r\nDATA\r\n'
  await talk(server, `EHLO me\r\n${envelope}${data}.\r\nQUIT\r\n`)

  const [mail] = server.mails
  expect(mail?.raw.toString()).toBe(data.replace('..dot', '.dot'))
  expect(mail?.headerLines.slice(0, 2)).toEqual(['Subject: one', ' two'])
  expect(mail?.header('subject')).toBe('one two')
  expect(Buffer.from(mail?.header('x-raw') ?? '', 'latin1').toString()).toBe('\u00e9')
  expect(mail?.envelope).toEqual({ from: '', to: ['b@x.org', 'a@x.org', 'b@x.org'] })
  expect(mail?.secure).toBe(false)
})

it('lets a test refuse a recipient or an email and word the reply', async () => {
  const refuse = (text: string, responseCode: number) => Object.assign(new Error(text), { responseCode })
  await using server = await startSmtpServer({
    onRcpt: (address) => (address === 'c@example.com' ? refuse('5.1.1 unknown', 550) : undefined),
    onData: (mail) =>
      mail.header('subject') === 'Later' ? refuse('4.3.0 later', 451) : '2.0.0 Ok: queued as 1F',
  })
  const transport = client(server)
  const info = await transport.sendMail(message)
  expect(info).toMatchObject({ rejected: ['c@example.com'], response: '250 2.0.0 Ok: queued as 1F' })
  await expect(transport.sendMail({ ...message, subject: 'Later' })).rejects.toMatchObject({
    responseCode: 451,
  })
  expect(server.mails).toHaveLength(1)
})

it('waits for an email that is there, one that comes, and says what came instead', async () => {
  await using server = await startSmtpServer()
  const coming = server.waitFor((mail) => mail.header('subject') === 'Hello')
  const failing = server.waitFor(() => {
    throw new TypeError('a fault of the predicate')
  })
  failing.catch(() => {})
  await client(server).sendMail(message)
  expect(await coming).toBe(server.mails[0])
  expect(await server.waitFor(() => true)).toBe(server.mails[0])
  await expect(failing).rejects.toThrow(TypeError)
  await expect(server.waitFor(() => false, 1)).rejects.toThrow(
    'No matching mail arrived within 1 ms. Arrived: Hello.',
  )
  server.clear()
  expect(server.mails).toEqual([])
})

it('closes although a client holds a connection open, and ends the waiting', async () => {
  const server = await startSmtpServer()
  const socket = connect({ host: server.host, port: server.port, allowHalfOpen: true })
  await new Promise((resolve) => socket.once('data', resolve))
  const waiting = expect(server.waitFor(() => true)).rejects.toThrow('before the server was closed')
  await Promise.all([server.close(), server.close(), waiting])
  await expect(client(server).verify()).rejects.toThrow('ECONNREFUSED')
  socket.destroy()
})

/** Says the lines at once and returns all that the server said. */
async function talk(server: SmtpServer, lines: string): Promise<string> {
  const socket = connect(server.port, server.host)
  socket.once('data', () => socket.write(lines))
  let reply = ''
  for await (const chunk of socket) reply += chunk
  return reply
}
