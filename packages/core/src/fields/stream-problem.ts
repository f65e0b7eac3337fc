import { describe } from '../problems/describe.js'
import { type PostmarkProblem, STREAM_CANNOT_SEND, UNKNOWN_STREAM } from '../problems/problem.js'
import { POSTMARK_FIELDS } from '../vocabulary/vocabulary.js'

/** What is wrong with a stream ID, or undefined. */
export function streamProblem(id: string, path: string): PostmarkProblem | undefined {
  const { maxLength } = POSTMARK_FIELDS.messageStream
  const limit = `a letter, then a-z 0-9 - _, at most ${maxLength} characters, not starting with pm-`
  if (id === 'inbound') {
    return {
      path,
      found: 'is the inbound stream',
      limit: 'a stream that can send',
      cure: 'Use "outbound", "broadcast" or your own stream.',
      severity: 'error',
      errorCode: STREAM_CANNOT_SEND,
    }
  }
  if (/^[a-z][a-z0-9_-]*$/.test(id) && id.length <= maxLength && !id.startsWith('pm-')) return undefined
  const shown = id.length > maxLength ? `has ${id.length} characters` : `is ${describe(id)}`
  return {
    path,
    found: shown,
    limit,
    cure: 'Use the stream ID from its settings page, not its name.',
    severity: 'error',
    errorCode: UNKNOWN_STREAM,
  }
}
