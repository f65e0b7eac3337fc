import { problemsError } from '../problems/error.js'
import type { ParsedPostmarkFields } from '../vocabulary/vocabulary.js'
import { readFields } from './read-fields.js'

/**
 * Validates fields of unknown origin. Returns them with strings trimmed and metadata values as strings.
 * @example parseFields({ tag: ' welcome ', metadata: { id: 7 } }) // { tag: 'welcome', metadata: { id: '7' } }
 * @throws PostmarkError ERR_POSTMARK_FIELDS, with every problem in `problems`
 */
export function parseFields(input: unknown): ParsedPostmarkFields {
  const { fields, problems } = readFields(input, 'fields')
  const errors = problems.filter((problem) => problem.severity === 'error')
  if (errors.length > 0) throw problemsError('ERR_POSTMARK_FIELDS', errors)
  return fields
}
