import { deliveryOutcome } from '../problems/delivery-outcome.js'
import { isPostmarkError, type PostmarkErrorCode } from '../problems/error.js'
import type { BatchItem, BatchResult } from './batch-options.js'
import type { PostmarkSentInfo } from './create-transport.js'

/** Our errors that mean the email itself is wrong. After any other of our errors, the email may be sent later. */
const REFUSALS: readonly PostmarkErrorCode[] = [
  'ERR_POSTMARK_PREFLIGHT',
  'ERR_POSTMARK_FIELDS',
  'ERR_POSTMARK_SCOPE',
  'ERR_POSTMARK_ONCE_CONFLICT',
]

/** The result of an email whose sendMail call resolved. */
export function toResult(item: BatchItem, info: PostmarkSentInfo): BatchResult {
  // A wrapper around sendMail may lose it.
  const { suppressed, duplicate } = (info as Partial<PostmarkSentInfo> | undefined)?.postmark ?? {}
  if (suppressed) return { ...item, outcome: 'suppressed', recipients: suppressed }
  return { ...item, outcome: duplicate ? 'duplicate' : 'sent', info }
}

/** The result of an email whose sendMail call rejected. */
export function toFailedResult(item: BatchItem, error: Error): BatchResult {
  if (isPostmarkError(error) && error.code === 'ERR_POSTMARK_SUPPRESSED') {
    const recipients = error.problems.flatMap(({ recipient }) => recipient ?? [])
    return { ...item, outcome: 'suppressed', recipients }
  }
  return { ...item, outcome: outcomeOf(error), error }
}

function outcomeOf(error: Error): 'refused' | 'failed' | 'unknown' {
  const outcome = deliveryOutcome(error)
  if (outcome === 'unknown') return 'unknown'
  if (outcome === 'rejected') return 'refused'
  if (isPostmarkError(error)) return REFUSALS.includes(error.code) ? 'refused' : 'failed'
  // Without a reply: an email without recipients, or one that cannot be written.
  const { code } = error as { code?: unknown }
  return outcome === 'not-sent' && code === 'EENVELOPE' ? 'refused' : 'failed'
}

/** Codes of failures that do not concern a single email. */
const FAULTS: readonly unknown[] = [
  'EAUTH',
  'ETLS',
  'ECONFIG',
  'ERR_POSTMARK_CLOSED',
  'ERR_POSTMARK_CREDENTIALS',
  'ERR_POSTMARK_OPTIONS',
  'ERR_POSTMARK_TLS',
  'ERR_POSTMARK_TRANSPORT',
  'ERR_POSTMARK_URL',
]

/** Phases before any email. A failure there would affect all emails, once the transport's attempts are used up. */
const BEFORE_MAILS: readonly unknown[] = ['connect', 'tls', 'login']

/** Whether the error of one email means that all others would fail as well. */
export function concernsAll(error: Error): boolean {
  if (isPostmarkError(error)) {
    const { code, problems } = error
    if (problems.some(({ path }) => /(^|\.)messageStream$/.test(path))) return true
    // No scope is open where sendBatch was called.
    if (code === 'ERR_POSTMARK_SCOPE' && problems[0]?.path === 'context') return true
  }
  const { code, phase, outcome } = error as { code?: unknown; phase?: unknown; outcome?: unknown }
  if (outcome === 'deferred' || code === 'EABORT') return false
  return FAULTS.includes(code) || BEFORE_MAILS.includes(phase)
}
