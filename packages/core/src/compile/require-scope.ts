import type { Level } from '../fields/merge-fields.js'
import { foldLevels } from '../fields/merge-fields.js'
import { problemsError } from '../problems/error.js'
import type { PostmarkProblem } from '../problems/problem.js'
import { pathOf } from '../problems/quote.js'
import { POSTMARK_FIELDS } from '../vocabulary/vocabulary.js'
import type { FieldSources } from './resolve-fields.js'
import type { CompileSettings } from './settings.js'

type Guard = NonNullable<CompileSettings['requireScope']>

const CURE = 'Where a callback loses or mixes up scopes, keep them with capturePostmark.'

/**
 * Refuses a mail that was sent outside of any scope, or in a scope that is not the one of its message. No value is
 * quoted: it may belong to another tenant than the one who reads the error.
 * @throws PostmarkError ERR_POSTMARK_SCOPE
 */
export function requireScope({ context, message, headers, raw }: FieldSources, guard: Guard): void {
  const problem = findProblem(context, { postmark: message, headers, raw }, guard)
  if (!problem) return
  // A context function that threw is why its fields are missing.
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
      limit: 'a scope around each mail, since requireScope is set',
      cure: `Open one with runWithPostmark, or with the middleware or module of your framework. ${CURE} For a mail that belongs to no request, open a scope on purpose.`,
      severity: 'error',
    }
  }
  if (key === undefined) return undefined
  const expected = metadataOf(key, ...context)
  if (typeof expected !== 'string') {
    return {
      path: pathOf('context.metadata', key),
      found: 'is not set',
      limit: 'a value in the open scope, since requireScope names this key',
      cure: 'Set it where the scope opens, or with updatePostmark. For a mail of the system itself, open a scope that says so, with a value such as "system".',
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

/** What the levels together say of a key; null where it is cleared. */
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
    found: 'is not the value of the open scope',
    limit: 'the same value or none, since requireScope names this key',
    cure: `The mail is sent in the scope of somebody else. ${CURE} To send it for another one on purpose, open a scope for that one with runWithPostmark.`,
    severity: 'error',
  }
}
