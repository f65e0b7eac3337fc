import { asWarning } from '../fields/fit-fields.js'
import { problemsError } from '../problems/error.js'
import { NO_PROBLEMS, type PostmarkProblem } from '../problems/problem.js'
import type { ResolvedFields } from './resolve-fields.js'
import type { CompileSettings } from './settings.js'

/**
 * Decides what the problems of an email lead to. Returns its warnings.
 * @param content problems with content that cannot be sent at all; its errors reject in every mode
 * @throws PostmarkError ERR_POSTMARK_PREFLIGHT
 */
export function preflight(
  resolved: ResolvedFields,
  content: readonly PostmarkProblem[],
  limits: readonly PostmarkProblem[],
  { preflight: mode }: CompileSettings,
): readonly PostmarkProblem[] {
  const { errors, fatal, warnings } = resolved
  if ([errors, fatal, warnings, content, limits].every(isEmpty)) return NO_PROBLEMS
  const broken = limits.filter(isError)
  const refused = [
    ...fatal,
    ...(mode === 'throw' ? errors : []),
    ...content.filter(isError),
    ...(mode === 'warn' ? [] : broken),
  ]
  if (refused.length > 0) throw problemsError('ERR_POSTMARK_PREFLIGHT', refused)
  const passed = mode === 'warn' ? [...errors, ...broken] : errors
  return [
    ...warnings,
    // Content has only warnings by now.
    ...content,
    ...limits.filter((problem) => !isError(problem)),
    ...passed.map(
      mode === 'fit' ? asWarning : (problem): PostmarkProblem => ({ ...problem, severity: 'warning' }),
    ),
  ]
}

function isEmpty(problems: readonly PostmarkProblem[]): boolean {
  return problems.length === 0
}

function isError({ severity }: PostmarkProblem): boolean {
  return severity === 'error'
}
