import { once } from 'node:events'
import { rename, writeFile } from 'node:fs/promises'
import { inspect, styleText } from 'node:util'
import { isPostmarkError, PostmarkError } from '@postmark-smtp/core'
import { type Sandbox, startSandbox } from '../sandbox.js'
import { type Command, parseCommand } from './command.js'
import { toAttemptLine, toLoginLine } from './event-lines.js'
import { HELP } from './flags.js'
import { type Paint, toMailLine } from './mail-line.js'

/** A stream that the command line prints to. One that shows colours has `hasColors`, as a terminal does. */
interface Output {
  write(text: string): unknown
  hasColors?(): boolean
}

/** What {@link runCli} runs in. */
export interface CliContext {
  readonly stdout: Output
  readonly stderr: Output
  /** Ends the sandbox. */
  readonly signal: AbortSignal
  readonly version: string
  /** The environment variables that may set flags (default: none). */
  readonly environment?: Readonly<Record<string, string | undefined>>
  /** Opens a page in a browser. */
  readonly openPage?: (url: string) => void
}

/** Runs the command line, and returns its exit code. */
export async function runCli(args: readonly string[], context: CliContext): Promise<number> {
  const { stdout, stderr, version } = context
  try {
    const command = await parseCommand(args, context.environment)
    const { action } = command
    if (action === 'help') stdout.write(HELP)
    else if (action === 'version') stdout.write(`${version}\n`)
    else await serve(await startSandbox(command.options), command, context)
    return 0
  } catch (error) {
    stderr.write(`${isPostmarkError(error) ? error.message : inspect(error)}\n`)
    return 1
  }
}

async function serve(
  sandbox: Sandbox,
  { quiet, open, caOut, suppressed }: Command,
  { stdout, stderr, signal, version, openPage }: CliContext,
): Promise<void> {
  const coloured = stdout.hasColors?.() ?? false
  // hasColors() has checked the stream; Node would check its own.
  const paint: Paint = (style, text) => (coloured ? styleText(style, text, { validateStream: false }) : text)
  try {
    for (const { address, stream } of suppressed)
      sandbox.suppress(address, stream === undefined ? {} : { stream })
    if (caOut !== undefined) await writeCertificate(caOut, sandbox.ca)
    if (!quiet) sandbox.on('mail', (mail) => stdout.write(toMailLine(mail, paint)))
    for (const problem of sandbox.dataProblems) stderr.write(`${problem}\n`)
    sandbox.on('dataProblem', (problem) => stderr.write(`${problem}\n`))
    sandbox.on('refusedLogin', (login) => stderr.write(toLoginLine(login)))
    sandbox.webhooks.onAttempt((attempt) => {
      const line = toAttemptLine(attempt)
      if (line !== undefined) stderr.write(line)
    })
    const stop = sandbox.on('event', (event) => {
      if (!sandbox.webhooks.isWithheld(event)) return
      stop()
      stderr.write(WITHHELD)
    })
    stdout.write(toBanner(sandbox, version, paint))
    if (open) openPage?.(sandbox.inboxUrl)
    if (!signal.aborted) await once(signal, 'abort')
  } finally {
    await sandbox.close()
  }
}

/** Writes the file whole or not at all, because another process may be waiting for it. */
async function writeCertificate(file: string, pem: string): Promise<void> {
  const unfinished = `${file}.${process.pid}.tmp`
  try {
    await writeFile(unfinished, pem)
    await rename(unfinished, file)
  } catch (error) {
    const message = `--ca-out: the file cannot be written: ${(error as Error).message}`
    throw new PostmarkError('ERR_POSTMARK_OPTIONS', message, { hint: 'See --help.', cause: error })
  }
}

const WITHHELD =
  'Refused emails are not posted to the webhook, because EnableSmtpApiErrorHooks is off, as it is at Postmark by ' +
  'default. Switch it on with --smtp-api-error-hooks.\n'

function toBanner(sandbox: Sandbox, version: string, paint: Paint): string {
  const { host, ports, broadcastsPort, url, inboxUrl, webhooks } = sandbox
  const rows = [
    ['SMTP', ports.map((port) => `${host}:${port}`).join(', ')],
    ...(broadcastsPort === undefined ? [] : [['Broadcasts', `${host}:${broadcastsPort}`]]),
    ['Inbox', inboxUrl],
    ['URL', paint('bold', url)],
    ...webhooks.list.map((webhook) => ['Webhook', `${webhook.url} (${webhook.stream})`]),
  ]
  const lines = rows.map(([name = '', value]) => `  ${paint('dim', name.padEnd(10))} ${value}\n`)
  return `Postmark sandbox ${version}\n\n${lines.join('')}\nPress Ctrl-C to stop.\n\n`
}
