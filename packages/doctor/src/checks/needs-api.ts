import type { Examination } from '../examination.js'

/** What docs/doctor.md says about a check that calls the REST API with the Server API token. */
export const SERVER_TOKEN = 'a Server API token'

/** Why a check that needs a working API does not run; a wrong setting of the server is not a reason. */
export function missingServer(examination: Examination): string | undefined {
  return (
    missingServerToken(examination) ??
    (examination.facts.server ? undefined : 'the REST API did not return the server')
  )
}

/** Why the REST API is not called with the Server API token; undefined if it is. */
export function missingServerToken({ api, caller }: Examination): string | undefined {
  if (!api) return 'the URL names a host that is not Postmark’s, and no API URL is given (--api-url)'
  if (!caller) return 'no Server API token is given (set POSTMARK_SERVER_TOKEN)'
  return undefined
}
