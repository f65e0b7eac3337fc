import { once } from 'node:events'
import { inspect, styleText } from 'node:util'
import { isPostmarkError } from '@postmark-smtp/core'
import { type Sandbox, startSandbox } from '../sandbox.js'
import { HELP, parseCommand } from './command.js'
import { type Paint, toMailLine } from './mail-line.js'

/** A stream that the command line prints to; one that shows colours has `hasColors`, as a terminal does. */
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
}

/** Runs the command line, and returns its exit code. */
export async function runCli(args: readonly string[], context: CliContext): Promise<number> {
  const { stdout, stderr, version } = context
  try {
    const { action, quiet, options } = await parseCommand(args)
    if (action === 'help') stdout.write(HELP)
    else if (action === 'version') stdout.write(`${version}\n`)
    else await serve(await startSandbox(options), quiet, context)
    return 0
  } catch (error) {
    stderr.write(`${isPostmarkError(error) ? error.message : inspect(error)}\n`)
    return 1
  }
}

async function serve(
  sandbox: Sandbox,
  quiet: boolean,
  { stdout, stderr, signal, version }: CliContext,
): Promise<void> {
  const coloured = stdout.hasColors?.() ?? false
  // The stream has been asked already; Node would ask its own.
  const paint: Paint = (style, text) => (coloured ? styleText(style, text, { validateStream: false }) : text)
  try {
    if (!quiet) sandbox.on('mail', (mail) => stdout.write(toMailLine(mail, paint)))
    const stop = sandbox.on('event', (event) => {
      if (!sandbox.webhooks.isWithheld(event)) return
      stop()
      stderr.write(WITHHELD)
    })
    stdout.write(toBanner(sandbox, version, paint))
    if (!signal.aborted) await once(signal, 'abort')
  } finally {
    await sandbox.close()
  }
}

const WITHHELD =
  'Refused mails are not posted to the webhook: EnableSmtpApiErrorHooks is off, as at Postmark by default. ' +
  '--smtp-api-error-hooks switches it on.\n'

function toBanner(sandbox: Sandbox, version: string, paint: Paint): string {
  const { host, ports, broadcastsPort, url, inboxUrl } = sandbox
  const rows = [
    ['SMTP', ports.map((port) => `${host}:${port}`).join(', ')],
    ...(broadcastsPort === undefined ? [] : [['Broadcasts', `${host}:${broadcastsPort}`]]),
    ['Inbox', inboxUrl],
    ['URL', paint('bold', url)],
  ]
  const lines = rows.map(([name = '', value]) => `  ${paint('dim', name.padEnd(10))} ${value}\n`)
  return `Postmark sandbox ${version}\n\n${lines.join('')}\nCtrl-C ends it.\n\n`
}
