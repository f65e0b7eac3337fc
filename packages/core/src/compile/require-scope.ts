import type { Level } from '../fields/merge-fields.js'
import { foldLevels } from '../fields/merge-fields.js'
import { problemsError } from '../problems/error.js'
import type { PostmarkProblem } from '../problems/problem.js'
import { pathOf } from '../problems/quote.js'
import { POSTMARK_FIELDS } from '../vocabulary/vocabulary.js'
import type { FieldSources } from './resolve-fields.js'
import type { CompileSettings } from './settings.js'

type Guard = NonNullable<CompileSettings['requireScope']>

const CURE = 'If a callback loses its scope or runs in another one, keep the scope with capturePostmark.'

/**
 * Rejects an email that was sent outside any scope, or in a scope that does not match its message. No value is quoted: it
 * may belong to another tenant than the reader of the error.
 * @throws PostmarkError ERR_POSTMARK_SCOPE
 */
export function requireScope({ context, message, headers, raw }: FieldSources, guard: Guard): void {
  const problem = findProblem(context, { postmark: message, headers, raw }, guard)
  if (!problem) return
  // If a context function threw, that is why its fields are missing.
  throw problemsError('ERR_POSTMARK_SCOPE', [problem, ...context.flatMap(({ problems }) => problems)])
}

type Given = Readonly<Record<string, Pick<Level, 'fields'> | undefined>>

function findProblem(
  context: FieldSources['context'],
  given: Given,
  { metadata: key }: Guard,
): PostmarkProblem | undefined {
  if (context.every(({ isImplied }) => isImplied)) {
    return {
      path: 'context',
      found: 'has no open scope',
      limit: 'a scope around each email, because requireScope is set',
      cure: `Open one with runWithPostmark, or with the middleware or module for your framework. ${CURE} For mail that belongs to no request, open a scope explicitly.`,
      severity: 'error',
    }
  }
  if (key === undefined) return undefined
  const expected = metadataOf(key, ...context)
  if (typeof expected !== 'string') {
    return {
      path: pathOf('context.metadata', key),
      found: 'is not set',
      limit: 'a value in the open scope, because requireScope names this key',
      cure: 'Set it when you open the scope, or with updatePostmark. For mail that belongs to no request, open a scope with a value such as "system".',
      severity: 'error',
    }
  }
  for (const [name, level] of Object.entries(given)) {
    const isOther =
      level &&
      (level.fields.metadata === null ||
        ![undefined, expected].some((value) => value === metadataOf(key, level)))
    if (isOther) return otherValue(name, key)
  }
  return undefined
}

/** The value of a key across all levels. Null if it is cleared. */
function metadataOf(key: string, ...levels: readonly Pick<Level, 'fields'>[]): string | null | undefined {
  const { metadata } = foldLevels(levels.map(({ fields }) => fields))
  return metadata.get(key.toLowerCase())?.value as string | null | undefined
}

function otherValue(name: string, key: string): PostmarkProblem {
  return {
    path:
      name === 'postmark'
        ? pathOf('postmark.metadata', key)
        : `${name}.${POSTMARK_FIELDS.metadata.header}${key}`,
    found: 'differs from the value in the open scope',
    limit: 'the same value or none, because requireScope names this key',
    cure: `The email is being sent in someone else\u2019s scope. ${CURE} To send it on behalf of someone else, open a scope for them with runWithPostmark.`,
    severity: 'error',
  }
}
