import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { toHeaderEntries } from '@postmark-smtp/core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Sandbox, startSandbox } from './sandbox.js'

const TOKEN = '4a1a3ab5-5a4d-4b0c-8d0c-000000000001'
const FROM = 'shop@example.com'
const TO = 'ann@example.com'
const fields = { messageStream: 'outbound', tag: 'welcome', metadata: { 'order-id': '42' }, trackOpens: true }
const headers = toHeaderEntries(fields).map(({ key, value }) => `${key}: ${value}`)
const MESSAGE = [`From: ${FROM}`, `To: ${TO}`, 'Subject: Hello', ...headers, '', 'Hello Ann', ''].join('\r\n')
const expected = {
  envelope: { from: FROM, to: [TO] },
  from: FROM,
  to: [TO],
  subject: 'Hello',
  postmark: fields,
}

const SMTPLIB = `
import smtplib, ssl, sys
port, ca, token, starttls, method = sys.argv[1:]
with smtplib.SMTP('localhost', int(port), timeout=20) as client:
    client.ehlo()
    if starttls == 'yes':
        client.starttls(context=ssl.create_default_context(cafile=ca))
        client.ehlo()
    client.user = client.password = token
    client.auth(method, getattr(client, 'auth_' + method.lower().replace('-', '_')))
    client.sendmail('${FROM}', ['${TO}'], sys.stdin.buffer.read())
`

let folder: string
let sandbox: Sandbox
/** The certificate in a file, as these programs want it. */
let ca: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'foreign-clients-'))
  sandbox = await startSandbox({ allowAnonymous: true })
  ca = join(folder, 'ca.pem')
  await writeFile(ca, sandbox.ca)
})
afterAll(async () => {
  await sandbox.close()
  await rm(folder, { recursive: true })
})

/** Runs a program beside the sandbox, which lives in this process; returns what it printed. */
async function run(program: string, options: readonly string[], input = ''): Promise<string> {
  const child = spawn(program, options, { stdio: ['pipe', 'pipe', 'pipe'] })
  let printed = ''
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk) => {
      printed += chunk
    })
  child.stdin.end(input)
  const [code] = await once(child, 'close')
  expect(code, printed).toBe(0)
  return printed
}

/** Tests that are skipped, and say so, where the program is not installed. */
function describeClient(program: string, debianPackages: string, tests: () => void): void {
  const there = process.env.PATH?.split(delimiter).some((path) => existsSync(join(path, program)))
  const skipped = !there && process.env.REQUIRE_REAL_PARTS !== '1'
  if (skipped) console.warn(`Skipped: the tests of ${program} need: apt-get install ${debianPackages}`)
  describe.skipIf(skipped)(program, tests)
}

/** What the last delivery left in the sandbox. */
async function delivered(deliver: () => Promise<string>): Promise<{ mail: unknown; printed: string }> {
  sandbox.clear()
  const printed = await deliver()
  expect(sandbox.outbox).toHaveLength(1)
  return { mail: sandbox.outbox[0], printed }
}

describeClient('swaks', 'swaks libnet-ssleay-perl', () => {
  it.each([
    ['PLAIN', true],
    ['LOGIN', true],
    ['CRAM-MD5', true],
    ['CRAM-MD5', false],
  ])('delivers after %s, STARTTLS: %s', async (method, secure) => {
    const { mail, printed } = await delivered(() =>
      run(
        'swaks',
        [
          ...['--server', 'localhost', '--port', String(sandbox.port), '--helo', 'me.example.com'],
          ...['--from', FROM, '--to', TO, '--data', '-'],
          ...['--auth', method, '--auth-user', TOKEN, '--auth-password', TOKEN],
          ...(secure ? ['--tls', '--tls-verify', '--tls-ca-path', ca] : []),
        ],
        MESSAGE,
      ),
    )
    expect(mail).toMatchObject({ ...expected, secure })
    expect(printed).toMatch(new RegExp(`[-~]> AUTH ${method}`))
  })
})

describeClient('curl', 'curl', () => {
  it.each([
    ['PLAIN', true],
    ['LOGIN', true],
    ['CRAM-MD5', false],
  ])('delivers after %s, STARTTLS: %s', async (method, secure) => {
    const { mail } = await delivered(() =>
      run(
        'curl',
        [
          ...['--silent', '--show-error', '--url', `smtp://localhost:${sandbox.port}`],
          ...['--mail-from', FROM, '--mail-rcpt', TO, '--upload-file', '-'],
          ...['--user', `${TOKEN}:${TOKEN}`, '--login-options', `AUTH=${method}`],
          ...(secure ? ['--ssl-reqd', '--cacert', ca] : []),
        ],
        MESSAGE,
      ),
    )
    expect(mail).toMatchObject({ ...expected, secure })
  })
})

describeClient('curl', 'curl', () => {
  it('delivers a file whose lines end in LF, as it sends one without --crlf', async () => {
    const file = join(folder, 'mail.eml')
    const parts = [
      '--b',
      'Content-Type: text/plain',
      '',
      'Hello Ann',
      '--b',
      'Content-Type: text/html',
      '',
      '<p>Hello</p>',
    ]
    const attached = ['--b', 'Content-Disposition: attachment; filename=a.txt', '', 'one', 'two', '--b--', '']
    const head = [...MESSAGE.split('\r\n').slice(0, -3), 'Content-Type: multipart/mixed; boundary=b', '']
    await writeFile(file, [...head, ...parts, ...attached].join('\n'))
    const { mail } = await delivered(() =>
      run('curl', [
        ...['--silent', '--show-error', '--url', `smtp://localhost:${sandbox.port}`],
        ...['--mail-from', FROM, '--mail-rcpt', TO, '--upload-file', file],
        ...['--user', `${TOKEN}:${TOKEN}`],
      ]),
    )
    expect(mail).toMatchObject(expected)
    expect(sandbox.outbox[0]?.raw.toString()).toContain('\n\n--b\n')
    expect(sandbox.outbox[0]?.verdict.notes).toEqual([expect.stringContaining('end in LF without CR')])
    expect(await sandbox.outbox[0]?.parse()).toEqual({
      text: 'Hello Ann',
      html: '<p>Hello</p>',
      attachments: [{ filename: 'a.txt', mimeType: 'text/plain', content: Buffer.from('one\ntwo') }],
    })
  })
})

describeClient('python3', 'python3', () => {
  it.each([
    ['PLAIN', true],
    ['LOGIN', true],
    ['CRAM-MD5', true],
    ['CRAM-MD5', false],
  ])("'s smtplib delivers after %s, STARTTLS: %s", async (method, secure) => {
    const options = ['-c', SMTPLIB, String(sandbox.port), ca, TOKEN, secure ? 'yes' : 'no', method]
    const { mail } = await delivered(() => run('python3', options, MESSAGE))
    expect(mail).toMatchObject({ ...expected, secure })
  })
})

describeClient('smtp-source', 'postfix', () => {
  it('delivers many emails over many connections without a login, where the sandbox allows it', async () => {
    sandbox.clear()
    const load = ['-m', '50', '-s', '5', '-l', '10000', '-M', 'me.example.com']
    await run('smtp-source', [...load, '-f', FROM, '-t', TO, '-S', 'Hello', `127.0.0.1:${sandbox.port}`])
    expect(sandbox.outbox).toHaveLength(50)
    for (const mail of sandbox.outbox) {
      expect(mail).toMatchObject({ envelope: expected.envelope, from: FROM, to: [TO], subject: 'Hello' })
      expect(mail.raw.length).toBeGreaterThan(10_000)
    }
  })
})
