import { examine } from '../examine.js'
import type { ExamineOptions } from '../examine-options.js'
import type { Finding } from '../finding.js'
import { HELP, parseCommand } from './command.js'
import { reportCrash } from './crash.js'
import { type Paint, toLines } from './finding-lines.js'
import type { Output } from './output.js'

/** What {@link runCli} runs in. */
export interface CliContext {
  readonly stdout: Output
  readonly stderr: Output
  readonly env: Readonly<Record<string, string | undefined>>
  /** The folder of the application. */
  readonly folder: string
  readonly version: string
  /** Options that no flag has; for tests. */
  readonly options?: ExamineOptions
}

/** Runs the command line, and returns its exit code. */
export async function runCli(args: readonly string[], context: CliContext): Promise<number> {
  const { stdout, stderr, version, env, folder } = context
  try {
    const { action, json, options, warnings } = parseCommand(args, env, folder)
    if (action === 'help') stdout.write(HELP)
    if (action === 'version') stdout.write(`${version}\n`)
    if (action !== 'examine') return 0
    for (const warning of warnings) stderr.write(`! ${warning}\n`)
    return await print(examine({ ...options, ...context.options }), json, stdout)
  } catch (error) {
    return reportCrash(error, args, context)
  }
}

async function print(findings: AsyncIterable<Finding>, json: boolean, stdout: Output): Promise<number> {
  const coloured = stdout.hasColors?.() ?? false
  const paint: Paint = (code, text) => (coloured ? `\u001b[${code}m${text}\u001b[0m` : text)
  const counts = { fine: 0, warning: 0, fault: 0, skipped: 0 }
  let incomplete = false
  for await (const finding of findings) {
    counts[finding.level]++
    incomplete ||= finding.incomplete === true
    stdout.write(json ? `${JSON.stringify(finding)}\n` : toLines(finding, paint))
  }
  const { fault, warning } = counts
  const plural = (count: number, what: string) => `${count} ${what}${count === 1 ? '' : 's'}`
  const end = incomplete ? '; not everything could be examined' : ''
  if (!json) stdout.write(`\n${plural(fault, 'fault')}, ${plural(warning, 'warning')}${end}.\n`)
  if (fault > 0) return 1
  return incomplete ? 2 : 0
}
