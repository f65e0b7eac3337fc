/** One problem with a message or with fields. */
export interface PostmarkProblem {
  /** Where it is. @example 'postmark.metadata.orderId', 'attachments[2].filename', 'context.tag' */
  readonly path: string
  /** What was found there. @example 'has 110 characters' */
  readonly found: string
  /** What was expected there. @example 'at most 80 characters' */
  readonly limit: string
  /** What to do about it. */
  readonly cure: string
  /** `error` makes an email reject if the caller wrote the value; an email with a `warning` is sent. */
  readonly severity: 'error' | 'warning'
  /** The Postmark error code that a later bounce would have carried. @example 300 */
  readonly errorCode?: number
  /** The address, if the problem concerns a single recipient. */
  readonly recipient?: string
}

/**
 * A problem as one sentence.
 * @example 'postmark.tag has 1001 characters (expected: at most 1000 characters). Shorten it.'
 */
export function toSentence(problem: PostmarkProblem): string {
  return `${problem.path} ${problem.found} (expected: ${problem.limit}). ${problem.cure}`
}

/** Shared by all emails without problems: thousands of emails may wait, and most have none. */
export const NO_PROBLEMS: readonly PostmarkProblem[] = Object.freeze([])

/** Reports a problem; by default an error with the code 300. */
export type Report = (
  problem: Partial<PostmarkProblem> & Pick<PostmarkProblem, 'path' | 'found' | 'limit' | 'cure'>,
) => void

/** Postmark error codes that a refused email would meet later, as a bounce. */
export const INVALID_REQUEST = 300
export const INACTIVE_RECIPIENT = 406
export const FORBIDDEN_ATTACHMENT = 411
export const UNKNOWN_STREAM = 1235
export const STREAM_CANNOT_SEND = 1236

/** The word in a list that a misspelt word most likely means, or undefined if none is close. */
export function closeMatch(word: string, words: Iterable<string>): string | undefined {
  const plain = (text: string) => text.toLowerCase().replace(/[^a-z0-9]/g, '')
  const wanted = plain(word)
  let best: string | undefined
  let bestDistance = Math.max(1, Math.floor(wanted.length / 3)) + 1
  for (const candidate of words) {
    const distance = editDistance(wanted, plain(candidate))
    if (distance < bestDistance) {
      bestDistance = distance
      best = candidate
    }
  }
  return best
}

/** Edits (insert, delete, replace, swap of neighbours) between two short words. */
function editDistance(a: string, b: string): number {
  if (a.length > 40 || b.length > 40) return Number.POSITIVE_INFINITY
  let twoAgo: number[] = []
  let previous = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1]
      let cost = Math.min(previous[j]! + 1, row[j - 1]! + 1, previous[j - 1]! + (same ? 0 : 1))
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        cost = Math.min(cost, twoAgo[j - 2]! + 1)
      row.push(cost)
    }
    twoAgo = previous
    previous = row
  }
  return previous[b.length]!
}
