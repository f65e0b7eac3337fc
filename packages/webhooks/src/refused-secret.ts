import { PostmarkError, WEBHOOK_HEADERS } from '@postmark-smtp/core/pure'
import type { WebhookAuth } from './webhook-auth.js'

/** What a refused request had instead of a secret, as the end of a sentence. It quotes nothing from the request. */
type Refusal = string

/**
 * Returns the function that reports a request whose secret was refused, once per kind of refusal. Postmark drops an event
 * after a 401, so a silent 401 would lose every event; and a scanner that tries all day must not fill the log.
 * @param report is called with the error, which contains no secret, neither ours nor that of the request
 */
export function createRefusalReport(
  auth: WebhookAuth,
  report: (error: PostmarkError) => void,
): (headers: Headers) => void {
  const names = [auth.header ?? []].flat().map(({ name }) => name)
  const reported = new Set<string>()
  return (headers) => {
    const refusal = describeRefusal(headers, auth.basic !== undefined, names)
    // Two kinds: a scanner must not use up the report of a webhook whose secret has changed.
    const ours = headers.has(WEBHOOK_HEADERS.traceId)
    const kind = `${ours} ${refusal}`
    if (reported.has(kind)) return
    reported.add(kind)
    report(toError(refusal, ours))
  }
}

function describeRefusal(headers: Headers, takesBasic: boolean, names: readonly string[]): Refusal {
  const authorization = headers.get('authorization')
  const shown = names.find((name) => headers.has(name))
  if (shown !== undefined) return `its header ${shown} has none of the values in auth.header.`
  if (authorization === null || authorization === '')
    return `it has no ${[...(takesBasic ? ['Basic login'] : []), ...names.map((name) => `header ${name}`)].join(', and no ')}.`
  if (!/^Basic /i.test(authorization)) return 'its Authorization header is not a Basic login.'
  return takesBasic
    ? 'its Basic login is not in auth.basic.'
    : 'it has a Basic login, but auth accepts only a header.'
}

/** A process warning shows only the message, so the message includes the hint. */
function toError(refusal: Refusal, ours: boolean): PostmarkError {
  const who = ours ? 'A request with the trace ID of a Postmark webhook' : 'A request'
  const loss = ours
    ? 'Postmark drops this event for good.'
    : 'If it came from Postmark, its event is dropped for good. It has no trace ID, so it may come from a stranger.'
  const hint =
    'Compare the URL and the headers of the webhook at Postmark with `auth`. reconcile() reads the bounces that were lost.'
  return new PostmarkError(
    'ERR_POSTMARK_WEBHOOK',
    `${who} was refused with 401: ${refusal} ${loss} ${hint}`,
    {
      hint,
    },
  )
}
