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
  /** Asks a question; undefined where nobody answers any more. */
  ask(question: string): Promise<string | undefined>
  /** Where the report is written. */
  readonly folder: string
  readonly version: string
  readonly times: ProbeTimes
}

/** Why the probe does not run; undefined where it does. */
export function whyNoProbe({ facts, host, options, caller, api }: Examination): string | undefined {
  if (options.from === undefined) return 'The probe needs --from: an address that may send.'
  if (!caller || !api || !facts.server)
    return 'The probe needs a Server API token, to look at what became of its mails.'
  if (facts.server.DeliveryType === 'Sandbox' || isLoopback(host)) return undefined
  return 'The server delivers for real. The probe runs on a server of the type Sandbox only: make one at Postmark (Servers, Create Server, Sandbox), and use its token.'
}

/**
 * Asks before each step, does it, and writes what was seen into one file, also where it is broken off.
 * @returns the path of the file; undefined where nothing was done
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
  stdout.write(`\nThe plan, ${countMails(PROBE_STEPS)} mails at most, to test addresses of Postmark only:\n`)
  for (const [index, { question, sends }] of PROBE_STEPS.entries())
    stdout.write(`${String(index + 1).padStart(3)}. ${question}\n     Sends ${sends}.\n`)
  for (const [index, step] of PROBE_STEPS.entries()) {
    const { id, question, looksAt, sends } = step
    const answer = await context.ask(
      `\n${index + 1}. ${question}\n   Sends ${sends}. Looks at ${looksAt}. Do it? [y, n, q to quit] `,
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

/** How many mails a plan sends at most. */
export function countMails(steps: readonly ProbeStep[]): number {
  return steps.reduce((sum, { mails }) => sum + mails, 0)
}
