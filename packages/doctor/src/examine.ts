import { isPostmarkError } from '@postmark-smtp/core/pure'
import { ApiFailure } from './api-client.js'
import type { Check } from './check.js'
import { CHECKS } from './checks/all-checks.js'
import { beginExamination, type Examination } from './examination.js'
import { checkExamineOptions, type ExamineOptions } from './examine-options.js'
import type { Finding, Level } from './finding.js'
import { LateError, within } from './within.js'

/**
 * Examines everything between an application and Postmark: network, TLS, login, server, streams, sender and webhooks.
 * It yields the findings of each check, in order. No email is sent unless `sendTo` is given.
 * @example
 * for await (const { level, text, cure } of examine({ url: process.env.POSTMARK_URL }))
 *   if (level === 'fault') console.log(text, cure)
 * @throws PostmarkError ERR_POSTMARK_OPTIONS immediately, if an option is unknown or invalid
 * @see docs/doctor.md, which lists every check and its findings
 */
export function examine(options: ExamineOptions = {}): AsyncIterable<Finding> {
  checkExamineOptions(options)
  return { [Symbol.asyncIterator]: () => run(options) }
}

async function* run(options: ExamineOptions): AsyncGenerator<Finding, void> {
  const examination = beginExamination(options)
  try {
    yield* runChecks(CHECKS, examination)
  } finally {
    examination.end()
  }
}

/** Runs checks in order, each only if its premises hold. */
export async function* runChecks(
  checks: readonly Check[],
  examination: Examination,
): AsyncGenerator<Finding, void> {
  const worst = new Map<string, Level>()
  for (const check of checks) {
    const reason = whySkipped(check, examination, worst)
    const findings = reason === undefined ? await runCheck(check, examination) : [skip(check, reason)]
    const levels = findings.map(({ level }) => level)
    worst.set(check.id, levels.includes('fault') ? 'fault' : levels.includes('skipped') ? 'skipped' : 'fine')
    yield* findings
  }
}

function whySkipped(
  check: Check,
  examination: Examination,
  worst: ReadonlyMap<string, Level>,
): string | undefined {
  const missing = check.missing?.(examination)
  if (missing !== undefined) return missing
  const premise = check.after.find((id) => worst.get(id) !== 'fine')
  if (premise === undefined) return undefined
  return `"${titleOf(premise)}" ${worst.get(premise) === 'fault' ? 'found a fault' : 'was skipped'}`
}

function titleOf(id: string): string {
  return CHECKS.find((check) => check.id === id)?.title ?? id
}

function skip({ id, title }: Check, text: string, incomplete = false): Finding {
  return { check: id, title, level: 'skipped', text, ...(incomplete ? { incomplete } : {}) }
}

async function runCheck(check: Check, examination: Examination): Promise<Finding[]> {
  const { signal, redactor } = examination
  const { id, title, kinds } = check
  const findings: Finding[] = []
  const add = (finding: Finding) => findings.push(finding)
  if (signal.aborted) return [skip(check, 'the time limit was reached', true)]
  const work = check.run(examination, {
    fine: (text) => add({ check: id, title, level: 'fine', text: redactor.text(text) }),
    skip: (text) => add(skip(check, redactor.text(text))),
    found: (kind, text, cure) => {
      const { level, cause, link, cure: usual } = kinds[kind]!
      add({
        check: id,
        title,
        level,
        kind,
        text: redactor.text(text),
        cause,
        cure: redactor.text(cure ?? usual),
        link,
      })
    },
  })
  try {
    await within(LONGEST_CHECK_MS, signal, work)
  } catch (error) {
    findings.push(skip(check, redactor.text(whyBroken(error as Error, signal)), true))
  }
  return [...findings]
}

function whyBroken(error: Error, signal: AbortSignal): string {
  if (error instanceof LateError || signal.aborted) return 'the time limit was reached'
  if (error instanceof ApiFailure) return `a request to the REST API failed: ${error.message}`
  if (isPostmarkError(error)) return error.message
  if (isDnsError(error)) return `the name servers gave no answer for ${error.hostname}: ${error.code}`
  return `the check itself failed: ${error.message}`
}

/** Whether an error comes from a query of node:dns. @see https://nodejs.org/api/dns.html#error-codes */
function isDnsError(error: Error): error is Error & { readonly code: string; readonly hostname: string } {
  return 'hostname' in error && /^query/.test(String((error as { syscall?: unknown }).syscall))
}

/** No check takes this long: each of its questions has a limit, and so have all checks together. */
const LONGEST_CHECK_MS = 600_000
