import { isRecord } from '../problems/describe.js'
import type { PostmarkProblem } from '../problems/problem.js'
import { INVALID_REQUEST } from '../problems/problem.js'

/**
 * Finds values that Nodemailer's DKIM signer cannot handle. It writes domain and selector into a header unchanged, and
 * other values make it throw inside a stream, where nobody can catch it.
 */
export function checkDkim({ dkim, _dkim }: Readonly<Record<string, unknown>>): PostmarkProblem[] {
  if (!dkim) return []
  const options = isRecord(dkim) ? { ...(isRecord(_dkim) && _dkim), ...dkim } : {}
  const {
    keys = options,
    hashAlgo,
    headerFieldNames,
    skipFields,
    cacheDir,
  } = options as Readonly<Record<string, unknown>>
  const isFine =
    [keys].flat().every((key) => isRecord(key) && isWord(key.domainName) && isWord(key.keySelector)) &&
    (!hashAlgo || /^sha(1|256|512)$/.test(String(hashAlgo))) &&
    [headerFieldNames, skipFields, cacheDir].every((each) => !each || typeof each === 'string')
  if (isFine) return []
  return [
    {
      path: 'dkim',
      found: 'cannot be used to sign',
      limit: 'domainName, keySelector and privateKey, or keys that each have them',
      cure: 'Remove it: Postmark signs your email.',
      severity: 'error',
      errorCode: INVALID_REQUEST,
    },
  ]
}

function isWord(value: unknown): boolean {
  return typeof value === 'string' && /^[^\0- \u007f-\u00a0\u2028\u2029]+$/.test(value)
}
