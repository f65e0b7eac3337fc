import type { Examination } from '../examination.js'

/** What docs/doctor.md says of a check that asks the REST API in the name of the server. */
export const SERVER_TOKEN = 'a Server API token'

/** Why a check that needs an API that answers is not run; a setting of the server that is wrong is no reason. */
export function missingServer(examination: Examination): string | undefined {
  return (
    missingServerToken(examination) ??
    (examination.facts.server ? undefined : 'the REST API does not show the server')
  )
}

/** Why the REST API is not asked in the name of the server; undefined where it is. */
export function missingServerToken({ api, caller }: Examination): string | undefined {
  if (!api) return 'the URL names another host than Postmark’s, and no URL of an API is given (--api-url)'
  if (!caller) return 'no Server API token is known: set POSTMARK_SERVER_TOKEN'
  return undefined
}
