import { toAddressKey } from '../message/address-key.js'
import { listRecipients } from '../message/addresses.js'
import { PostmarkError } from '../problems/error.js'
import type { PostmarkProblem } from '../problems/problem.js'
import { INACTIVE_RECIPIENT } from '../problems/problem.js'
import { API_ERRORS } from '../vocabulary/api-errors.js'
import type { SuppressionStore } from './suppression-list.js'

/** For the answer of a store. A lookup takes milliseconds; a mail must not wait for one that is ill. */
const SUPPRESSIONS_MS = 2_000

/** The part of a store that is asked before a mail. */
export type SuppressionFinder = Pick<SuppressionStore, 'find'>

/** What is to be told of one mail, and what to refuse it with. */
export interface SuppressionVerdict {
  /** One for each recipient that is suppressed, or one for a store that failed. */
  readonly warnings: readonly PostmarkProblem[]
  /** Set where all recipients are suppressed. */
  readonly refusal: PostmarkError | undefined
}

/** Asks a store about the recipients of a mail. Never rejects: a store that fails stops no mail. */
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
    // The text of the error stays out: it may hold the address of a database, with its password.
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

/** Waits for a store, but not longer than the limit; a late answer, or failure, is dropped. */
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
    `The mail was not sent: ${who} suppressed on the stream ${JSON.stringify(stream)}.`,
    { problems: recipients.map((recipient) => toProblem(recipient, stream, 'error')) },
  )
}

function failed(found: string): SuppressionVerdict {
  const limit = 'an array of the suppressed addresses'
  const cure = 'The mail was sent without this check. Check the store.'
  return { warnings: [{ path: 'suppressions', found, limit, cure, severity: 'warning' }], refusal: undefined }
}
