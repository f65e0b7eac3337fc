import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { attachPostmark, checkMessage, createPostmarkTransport } from '@postmark-smtp/core'
import { postmark } from '@postmark-smtp/nodemailer'
import { type Sandbox, type SandboxMail, startSandbox } from '@postmark-smtp/sandbox'
import { size } from '@postmark-smtp/testing'
import { createTransport, type Transporter } from 'nodemailer'
import packageOfNodemailer from 'nodemailer/package.json' with { type: 'json' }
import { afterAll, beforeAll, expect, it } from 'vitest'
import { listShapes, type Places } from './message-shapes.js'

const SHAPES = 400
const MAJOR = Number.parseInt(packageOfNodemailer.version, 10)

let sandbox: Sandbox
let places: Places
let web: ReturnType<typeof createServer>
const senders: Record<string, Transporter> = {}
let strict: Transporter

beforeAll(async () => {
  sandbox = await startSandbox()
  web = createServer((_request, response) => response.end('<p>What the URL names.</p>'))
  await new Promise<void>((resolve) => web.listen(0, '127.0.0.1', resolve))
  const folder = await mkdtemp(join(tmpdir(), 'message-shapes-'))
  for (const name of ['LICENSE', 'report.pdf', 'setup.exe']) await writeFile(join(folder, name), 'A file.\n')
  places = { folder, url: `http://127.0.0.1:${(web.address() as { port: number }).port}` }

  const { host, port, token } = sandbox
  const open = () =>
    createTransport({
      host,
      port,
      ignoreTLS: true,
      auth: { user: token, pass: token },
      pool: true,
      maxConnections: 1,
      getSocket: promptSocket,
    }) as Transporter
  const options = { preflight: 'warn', onWarning: () => {} } as const
  senders.plain = open()
  senders.plugin = open()
  senders.plugin.use('compile', postmark(options))
  senders.attached = attachPostmark(open(), options)
  senders.transport = createPostmarkTransport({
    ...options,
    serverToken: token,
    host,
    ports: [port],
    allowPlaintext: true,
  }) as unknown as Transporter
  strict = attachPostmark(open(), { onWarning: () => {} })
})
afterAll(async () => {
  for (const transporter of [...Object.values(senders), strict]) transporter?.close()
  await sandbox?.close()
  web?.closeAllConnections()
  web?.close()
  if (places) await rm(places.folder, { recursive: true })
})

/** Nodemailer 7 to 9 leave Nagle’s delay on, which is most of what an email takes on loopback. */
function promptSocket(_options: object, done: (error: Error | null, socket?: object) => void): void {
  const connection = connect({ host: sandbox.host, port: sandbox.port, noDelay: true })
  connection.once('error', done)
  connection.once('connect', () => {
    connection.off('error', done)
    done(null, { connection })
  })
}

/** The email as the server took it, or the error that its sender got. */
async function deliver(transporter: Transporter, message: object): Promise<SandboxMail | Error> {
  sandbox.clear()
  try {
    await transporter.sendMail(message)
  } catch (error) {
    return error as Error
  }
  expect(sandbox.outbox).toHaveLength(1)
  return sandbox.outbox[0]!
}

/** The bytes without Postmark's headers, which is where plain Nodemailer and we may differ. */
function withoutOurs({ raw }: SandboxMail): string {
  const text = raw.toString('latin1')
  const end = text.indexOf('\r\n\r\n')
  const block = end < 0 ? text : text.slice(0, end + 2)
  return block.replace(/^x-pm-.*\r\n(?:[ \t].*\r\n)*/gim, '') + (end < 0 ? '' : text.slice(end + 2))
}

const codes = (problems: readonly { readonly errorCode?: number }[]) =>
  [...new Set(problems.map(({ errorCode }) => errorCode))].sort()

it('writes the bytes of plain Nodemailer but for our headers, and preflight says what the sandbox says', async () => {
  const all = listShapes(SHAPES, 14)
  // The soak sends all of them with each major; in `npm test` each major has another tenth.
  const step = Math.round(all.length / size(all.length, 10))
  const chosen = all.filter((_, index) => index % step === MAJOR % step)
  if (step === 1) expect(chosen.length).toBeGreaterThanOrEqual(300)
  const differences: string[] = []
  const count = { delivered: 0, refused: 0, warned: 0, unsendable: 0 }
  for (const { title, make } of chosen) {
    const differ = (what: string, ours: unknown, theirs: unknown) => {
      if (JSON.stringify(ours) !== JSON.stringify(theirs))
        differences.push(
          `${title}: ${what}\n  ours:   ${JSON.stringify(ours)}\n  theirs: ${JSON.stringify(theirs)}`,
        )
    }
    const plain = await deliver(senders.plain!, make(places))
    let mail: SandboxMail | undefined
    for (const name of ['plugin', 'attached', 'transport']) {
      const ours = await deliver(senders[name]!, make(places))
      if (plain instanceof Error)
        differ(`${name} sends what plain Nodemailer does not`, ours instanceof Error, true)
      else if (ours instanceof Error) differences.push(`${title}: ${name} failed with ${ours}`)
      else {
        differ(`envelope of ${name}`, ours.envelope, plain.envelope)
        differ(`bytes of ${name}`, withoutOurs(ours), withoutOurs(plain))
        mail = ours
      }
    }
    if (!mail) {
      count.unsendable++
      continue
    }
    count.delivered++
    const problems = checkMessage(make(places))
    const errors = problems.filter(({ severity }) => severity === 'error')
    differ('verdict of preflight and of the sandbox', codes(errors), codes(mail.verdict.problems))
    const warns = (path: string) =>
      problems.some((problem) => problem.path === path && problem.severity === 'warning')
    const notes = (text: string) => mail.verdict.notes.some((note) => note.includes(text))
    differ('warning of a body', warns('text'), notes('The email has no text and no html.'))
    // An email with Bcc only does not show it on the wire, and one that is a raw part only shows no address at all.
    const hasFrom = mail.headers.some(({ key }) => /^from$/i.test(key))
    if (!make(places).bcc && (hasFrom || make(places).raw))
      differ('warning of recipients', warns('to'), notes('names a recipient'))
    if (problems.length > errors.length) count.warned++
    if (errors.length === 0) continue
    count.refused++
    const refusal = await deliver(strict, make(places))
    differ('attachPostmark refuses', (refusal as { code?: string }).code, 'ERR_POSTMARK_PREFLIGHT')
  }
  expect(differences.join('\n')).toBe('')
  // Both ends are met often: shapes that are all fine, or all refused, would prove little.
  expect(count.refused).toBeGreaterThan(chosen.length / 6)
  expect(count.delivered - count.refused).toBeGreaterThan(chosen.length / 6)
  expect(count.unsendable).toBeLessThan(chosen.length / 3)
})
