import type { RetrySettings } from '../delivery/retry.js'
import { optionError } from '../problems/check-options.js'
import { isRecord } from '../problems/describe.js'
import { readCount, readNumbers } from './option-numbers.js'

/** Time limit for one email including all attempts. */
const DEADLINE_MS = 180_000

/** Reads the option `retry`. @throws PostmarkError ERR_POSTMARK_OPTIONS */
export function readRetry(given: unknown): RetrySettings {
  if (given !== undefined && !isRecord(given))
    throw optionError('retry', given, 'an object such as { attempts: 1 }')
  const { unknown = false, attempts, ...times } = given ?? {}
  if (typeof unknown !== 'boolean') throw optionError('retry.unknown', unknown, 'true or false')
  return {
    ...readNumbers('retry', times, { deadlineMs: DEADLINE_MS, baseMs: 1_000 }, ['attempts', 'unknown']),
    attempts: attempts === undefined ? 10 : readCount('retry.attempts', attempts),
    unknown,
  }
}
