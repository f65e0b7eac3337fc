import { randomBytes } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { isLoopback } from '@postmark-smtp/core/internal'
import { toText } from '../cli/finding-lines.js'
import type { Output } from '../cli/output.js'
import type { Examination } from '../examination.js'
import { createLab, type ProbeTimes } from './lab.js'
import { PROBE_STEPS, type ProbeStep } from './plan.js'
import { redactReport } from './redact-report.js'

/** What the probe runs in. */
export interface ProbeContext {
  readonly stdout: Output
  /** Asks a question; resolves with undefined if there are no more answers. */
  ask(question: string): Promise<string | undefined>
  /** Where the report is written. */
  readonly folder: string
  readonly version: string
  readonly times: ProbeTimes
}

/** Why the probe cannot run; undefined if it can. */
export function whyNoProbe({ facts, host, options, caller, api }: Examination): string | undefined {
  if (options.from === undefined) return 'The probe needs --from, an address that may send.'
  if (!caller || !api || !facts.server)
    return 'The probe needs a Server API token to see what happens to its emails.'
  if (facts.server.DeliveryType === 'Sandbox' || isLoopback(host)) return undefined
  return 'The server delivers for real. The probe runs only on a server of the type Sandbox. Create one at Postmark (Servers > Create Server > Sandbox) and use its token.'
}

/**
 * Asks before each step, runs it, and writes the results to one file after each step.
 * @returns the path of the file; undefined if no step was run
 */
export async function runProbe(examination: Examination, context: ProbeContext): Promise<string | undefined> {
  const { stdout, folder, version, times } = context
  const run = randomBytes(4).toString('hex')
  const path = join(folder, `postmark-probe-${run}.json`)
  const lab = createLab(examination, run, times)
  const steps: object[] = []
  const clean = (value: unknown) => redactReport(value, examination.redactor, examination.options.from!)
  const save = async () => {
    const report = {
      doctor: version,
      node: process.version,
      day: new Date().toISOString().slice(0, 10),
      steps,
    }
    await writeFile(path, `${JSON.stringify(clean(report), undefined, 2)}\n`, { mode: 0o600 })
  }
  stdout.write(
    `\nThe plan, with at most ${countMails(PROBE_STEPS)} emails, only to Postmark’s test addresses:\n`,
  )
  for (const [index, { question, sends }] of PROBE_STEPS.entries())
    stdout.write(`${String(index + 1).padStart(3)}. ${question}\n     Sends ${sends}.\n`)
  for (const [index, step] of PROBE_STEPS.entries()) {
    const { id, question, looksAt, sends } = step
    const answer = await context.ask(
      `\n${index + 1}. ${question}\n   Sends ${sends}. Looks at ${looksAt}. Run this step? [y, n, q to quit] `,
    )
    if (answer === undefined || /^q/i.test(answer.trim())) break
    if (!/^y(es)?$/i.test(answer.trim())) continue
    const seen = await step.run(lab).catch((error: Error) => ({ failed: error.message }))
    steps.push({ id, question, seen })
    stdout.write(`   ${toText(JSON.stringify(clean(seen)))}\n`)
    await save()
    if (examination.signal.aborted) break
  }
  return steps.length > 0 ? path : undefined
}

/** The most emails that a plan sends. */
export function countMails(steps: readonly ProbeStep[]): number {
  return steps.reduce((sum, { mails }) => sum + mails, 0)
}
