import { createInterface } from 'node:readline'
import { PREMISES } from '../checks/all-checks.js'
import { beginExamination } from '../examination.js'
import { runChecks } from '../examine.js'
import { checkExamineOptions, type ExamineOptions } from '../examine-options.js'
import type { ProbeTimes } from '../probe/lab.js'
import { runProbe, whyNoProbe } from '../probe/run-probe.js'
import type { Output } from './output.js'
import { printFindings } from './print-findings.js'

const LIMIT_MS = 3_600_000
const PATIENCE_MS = 15_000
const TIMES: ProbeTimes = { lookMs: 60_000, everyMs: 3_000, idleMs: 600_000 }

/** What {@link probeCommand} runs in. */
interface ProbeCommandContext {
  readonly stdout: Output
  readonly stderr: Output
  /** Where the user's answers come from. */
  readonly stdin: NodeJS.ReadableStream
  readonly folder: string
  readonly version: string
  readonly times?: ProbeTimes | undefined
}

/** Runs the checks that the probe needs, then the probe. @returns the exit code */
export async function probeCommand(options: ExamineOptions, context: ProbeCommandContext): Promise<number> {
  checkExamineOptions(options)
  const { stdout, stderr, stdin, folder, version, times = TIMES } = context
  const examination = beginExamination({ patienceMs: PATIENCE_MS, ...options, limitMs: LIMIT_MS })
  const lines = createInterface({ input: stdin })
  const answers = lines[Symbol.asyncIterator]()
  try {
    const code = await printFindings(runChecks(PREMISES, examination), false, stdout)
    const reason =
      code === 0
        ? whyNoProbe(examination)
        : 'The probe does not start while something is wrong. Follow the cures above first.'
    if (reason !== undefined) {
      stderr.write(`${reason}\n`)
      return code === 0 ? 2 : code
    }
    const ask = async (question: string) => {
      stdout.write(question)
      const { value, done } = await answers.next()
      return done ? undefined : value
    }
    const path = await runProbe(examination, { stdout, ask, folder, version, times })
    if (path !== undefined)
      stdout.write(
        `\nThe report is in ${path}, without tokens and addresses. Read it, then post it as an issue of this project.\n`,
      )
    return 0
  } finally {
    lines.close()
    examination.end()
  }
}
