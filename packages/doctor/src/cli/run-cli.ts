import { examine } from '../examine.js'
import type { ExamineOptions } from '../examine-options.js'
import type { ProbeTimes } from '../probe/lab.js'
import { HELP, parseCommand } from './command.js'
import { reportCrash } from './crash.js'
import type { Output } from './output.js'
import { printFindings } from './print-findings.js'
import { probeCommand } from './probe-command.js'

/** What {@link runCli} runs in. */
export interface CliContext {
  readonly stdout: Output
  readonly stderr: Output
  readonly env: Readonly<Record<string, string | undefined>>
  /** The folder of the application. */
  readonly folder: string
  readonly version: string
  /** Options without a flag; for tests. */
  readonly options?: ExamineOptions
  /** Where the answers to the questions of `--probe` come from; nothing else reads it. */
  readonly stdin: NodeJS.ReadableStream
  /** How long `--probe` waits; for tests. */
  readonly times?: ProbeTimes
}

/** Runs the command line, and returns its exit code. */
export async function runCli(args: readonly string[], context: CliContext): Promise<number> {
  const { stdout, stderr, version, env, folder } = context
  try {
    const { action, json, options, warnings } = parseCommand(args, env, folder)
    if (action === 'help') stdout.write(HELP)
    if (action === 'version') stdout.write(`${version}\n`)
    if (action === 'help' || action === 'version') return 0
    for (const warning of warnings) stderr.write(`! ${warning}\n`)
    const all = { ...options, ...context.options }
    if (action === 'probe') return await probeCommand(all, context)
    return await printFindings(examine(all), json, stdout)
  } catch (error) {
    return reportCrash(error, args, context)
  }
}
