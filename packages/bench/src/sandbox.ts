import { type ChildProcess, execFile, fork, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { POSTMARK_FIELDS } from '@postmark-smtp/core'
import { createTransport } from 'nodemailer'
import { quantile } from './measure.js'
import type { Section } from './section.js'
import { freePort, listening, SMTP_SOURCE } from './smtp-sink.js'

const ROUNDS = 8
const MAILS = 2500
const BYTES = 10_000
const CONNECTIONS = 10

/** A mail catcher in its own process, and its measurements. */
interface Catcher {
  readonly name: string
  readonly port: number
  readonly child: ChildProcess
  /** Emails per second, for each round. */
  readonly rates: number[]
  /** Its own CPU time in microseconds per email, for each round. */
  readonly cpu: number[]
  /** Resident memory in MB after each round. */
  readonly memory: number[]
  stop(): Promise<void>
}

/**
 * How many emails per second the sandbox takes and how much memory it holds, compared with MailDev; both keep the emails.
 * Once with the plain text that smtp-source generates, once with an email as applications send it.
 */
export async function measureSandbox(kind: 'plain text' | 'text, HTML and an attachment'): Promise<Section> {
  const folder = await mkdtemp(join(tmpdir(), 'bench-'))
  const catchers = [await startMailDev(folder), await startSandbox()]
  const content = kind === 'plain text' ? ['-l', String(BYTES)] : ['-F', await writeMail(folder)]
  try {
    for (let round = 0; round < ROUNDS; round++)
      for (let turn = 0; turn < catchers.length; turn++)
        await runRound(catchers[(turn + round) % catchers.length]!, content)
  } finally {
    for (const { stop } of catchers) await stop()
    await rm(folder, { recursive: true })
  }
  const rates = catchers.map((catcher) => quantile(catcher.rates, 0.5))
  const counts = [ROUNDS / 4, ROUNDS / 2, (ROUNDS * 3) / 4, ROUNDS]
  return {
    title: `Mail catchers, fed by smtp-source over ${CONNECTIONS} connections: ${ROUNDS} rounds of ${MAILS} emails of ${BYTES / 1000} kB, ${kind}`,
    headings: [
      'server',
      'mails/s',
      'CPU \u00b5s/mail',
      'rate vs. MailDev',
      ...counts.map((count) => `MB after ${(count * MAILS).toLocaleString('en')}`),
    ],
    rows: catchers.map(({ name, cpu, memory }, index) => [
      name,
      rates[index]!,
      quantile(cpu, 0.25),
      rates[index]! / rates[0]!,
      ...counts.map((count) => memory[count - 1]!),
    ]),
    charts: [{ column: 3, better: 'higher' }],
  }
}

async function startSandbox(): Promise<Catcher> {
  const child = fork(new URL('./sandbox-process.js', import.meta.url))
  const [{ port }] = (await once(child, 'message')) as [{ port: number }]
  return { name: 'sandbox', port, child, rates: [], cpu: [], memory: [], stop: () => end(child) }
}

/** Writes an email with three parts in the form that smtp-source reads: lines end with LF only. */
async function writeMail(folder: string): Promise<string> {
  const html = '<p>Hello, your order <b>42</b> is on its way. Thank you for it.</p>\n'.repeat(75)
  const { message } = await createTransport({
    streamTransport: true,
    buffer: true,
    newline: 'unix',
  }).sendMail({
    from: 'Shop <a@example.com>',
    to: 'b@example.com',
    subject: 'Your order has been sent',
    text: 'Hello,\nyour order is on its way.\n'.repeat(15),
    html,
    attachments: [{ filename: 'invoice.pdf', content: Buffer.alloc(2500, 'x') }],
    headers: { [POSTMARK_FIELDS.tag.header]: 'order' },
  })
  const file = join(folder, 'mail.eml')
  await writeFile(file, message as Buffer)
  return file
}

async function startMailDev(folder: string): Promise<Catcher> {
  const port = await freePort()
  const program = createRequire(import.meta.url).resolve('maildev/bin/maildev')
  const options = ['--smtp', String(port), '--ip', '127.0.0.1', '--disable-web', '--silent']
  const child = spawn(process.execPath, [program, ...options, '--mail-directory', folder], {
    stdio: 'ignore',
  })
  await listening(port, child)
  return { name: 'MailDev', port, child, rates: [], cpu: [], memory: [], stop: () => end(child) }
}

async function end(child: ChildProcess): Promise<void> {
  const exited = once(child, 'exit')
  child.kill()
  await exited
}

/** `-d`: a connection carries many emails, because both servers delay the greeting to detect clients that talk too soon. */
async function runRound(
  { port, child, rates, cpu, memory }: Catcher,
  content: readonly string[],
): Promise<void> {
  const load = [
    '-d',
    '-m',
    MAILS,
    '-s',
    CONNECTIONS,
    ...content,
    '-f',
    'a@example.com',
    '-t',
    'b@example.com',
  ]
  const cpuBefore = await cpuMicros(child)
  const start = performance.now()
  await promisify(execFile)(SMTP_SOURCE, [...load, `127.0.0.1:${port}`].map(String))
  rates.push((MAILS * 1000) / (performance.now() - start))
  cpu.push(((await cpuMicros(child)) - cpuBefore) / MAILS)
  const status = await readFile(`/proc/${child.pid}/status`, 'utf8')
  memory.push(Number(/VmRSS:\s*(\d+)/.exec(status)?.[1]) / 1024)
}

/** User and system time so far, which the kernel counts in hundredths of a second (proc_pid_stat(5), 14 and 15). */
async function cpuMicros({ pid }: ChildProcess): Promise<number> {
  const fields = (await readFile(`/proc/${pid}/stat`, 'utf8')).split(' ')
  return (Number(fields[13]) + Number(fields[14])) * 10_000
}
