/**
 * What our other packages use, at the same version: it is no part of the public interface, and may change in any release.
 * None of it needs Nodemailer.
 */
export { toOnceReference } from './compile/once-key.js'
export { runOutsideScopes } from './context/outside-scopes.js'
export { type HeaderMeaning, meaningOf } from './fields/header-entries.js'
export { optionError, refuseUnknown } from './problems/check-options.js'
export { REST_ANSWERS, refusedByRest } from './vocabulary/api-errors.js'
export { toBounceTypeName } from './vocabulary/bounce-types.js'
export { HEADER_PREFIX, MISSPELLED_HEADERS } from './vocabulary/vocabulary.js'
