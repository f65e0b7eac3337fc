import { toAddressKey } from '../message/address-key.js'
import { listRecipients } from '../message/addresses.js'
import { PostmarkError } from '../problems/error.js'
import type { PostmarkProblem } from '../problems/problem.js'
import { INACTIVE_RECIPIENT } from '../problems/problem.js'
import { API_ERRORS } from '../vocabulary/api-errors.js'
import type { SuppressionStore } from './suppression-list.js'

/** Time limit for the store. A lookup takes milliseconds, and a failing store must not delay mail. */
const SUPPRESSIONS_MS = 2_000

/** The part of a store that is queried before each email. */
export type SuppressionFinder = Pick<SuppressionStore, 'find'>

/** The warnings for an email, and the error to reject it with. */
export interface SuppressionVerdict {
  /** One for each suppressed recipient, or one if the store failed. */
  readonly warnings: readonly PostmarkProblem[]
  /** Set if all recipients are suppressed. */
  readonly refusal: PostmarkError | undefined
}

/** Looks up the recipients of an email in a store. Never rejects: a failing store does not stop mail. */
export async function checkSuppressions(
  message: object,
  stream: string,
  store: SuppressionFinder,
  limitMs: number = SUPPRESSIONS_MS,
): Promise<SuppressionVerdict> {
  const recipients = new Map(listRecipients(message).map((address) => [toAddressKey(address), address]))
  if (recipients.size === 0) return { warnings: [], refusal: undefined }
  let answer: unknown
  try {
    answer = await withinLimit(store.find([...recipients.keys()], stream), limitMs)
  } catch (error) {
    // The text of the error is omitted because it may contain the address of a database with its password.
    return failed(`failed with ${error instanceof Error ? error.name : 'a value'}`)
  }
  if (answer === undefined) return failed(`did not answer within ${limitMs / 1000} s`)
  if (!Array.isArray(answer)) return failed('did not return an array')
  const suppressed = new Set(answer.map((address) => toAddressKey(String(address))))
  const hit = [...recipients].filter(([key]) => suppressed.has(key)).map(([, written]) => written)
  return {
    warnings: hit.map((recipient) => toProblem(recipient, stream, 'warning')),
    refusal: hit.length === recipients.size ? refuse(hit, stream) : undefined,
  }
}

/** Waits for a store up to the limit. A late answer or failure is ignored. */
async function withinLimit<T>(answer: T | Promise<T>, limitMs: number): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined
  const silence = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), limitMs)
  })
  try {
    return await Promise.race([answer, silence])
  } finally {
    clearTimeout(timer)
  }
}

function toProblem(
  recipient: string,
  stream: string,
  severity: PostmarkProblem['severity'],
): PostmarkProblem {
  return {
    path: 'to',
    found: 'includes a suppressed recipient',
    limit: `an address that the stream ${JSON.stringify(stream)} may send to`,
    cure: API_ERRORS[INACTIVE_RECIPIENT]!.cure,
    severity,
    errorCode: INACTIVE_RECIPIENT,
    recipient,
  }
}

function refuse(recipients: readonly string[], stream: string): PostmarkError {
  const who = recipients.length === 1 ? 'its recipient is' : `all ${recipients.length} recipients are`
  return new PostmarkError(
    'ERR_POSTMARK_SUPPRESSED',
    `The email was not sent: ${who} suppressed on the stream ${JSON.stringify(stream)}.`,
    { problems: recipients.map((recipient) => toProblem(recipient, stream, 'error')) },
  )
}

function failed(found: string): SuppressionVerdict {
  const limit = 'an array of the suppressed addresses'
  const cure = 'The email was sent without this check. Check the store.'
  return { warnings: [{ path: 'suppressions', found, limit, cure, severity: 'warning' }], refusal: undefined }
}
