import { asWarning } from '../fields/fit-fields.js'
import { problemsError } from '../problems/error.js'
import type { PostmarkProblem } from '../problems/problem.js'
import type { ResolvedFields } from './resolve-fields.js'
import type { CompileSettings } from './settings.js'

/** Decides what the problems of a mail mean; returns its warnings. @throws PostmarkError ERR_POSTMARK_PREFLIGHT */
export function preflight(
  resolved: ResolvedFields,
  limits: readonly PostmarkProblem[],
  { preflight: mode }: CompileSettings,
): PostmarkProblem[] {
  const broken = limits.filter((problem) => problem.severity === 'error')
  const refused = [
    ...resolved.fatal,
    ...(mode === 'throw' ? resolved.errors : []),
    ...broken.filter((problem) => mode !== 'warn' || problem.path === 'raw'),
  ]
  if (refused.length > 0) throw problemsError('ERR_POSTMARK_PREFLIGHT', refused)
  const passed = mode === 'warn' ? [...resolved.errors, ...broken] : resolved.errors
  return [
    ...resolved.warnings,
    ...limits.filter((problem) => problem.severity === 'warning'),
    ...passed.map(
      mode === 'fit' ? asWarning : (problem): PostmarkProblem => ({ ...problem, severity: 'warning' }),
    ),
  ]
}
