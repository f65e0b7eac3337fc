import { PostmarkError, WEBHOOK_HEADERS } from '@postmark-smtp/core/pure'
import type { WebhookAuth } from './webhook-auth.js'

/** What a refused post showed in place of a secret, as the end of a sentence. It quotes nothing of the post. */
type Refusal = string

/**
 * Makes the function that reports a post whose secret was refused, each kind of refusal once: Postmark drops what is
 * answered with 401, so a silent 401 loses every event, and a scanner that tries all day must not fill the log.
 * @param report takes the error, which holds no secret, neither ours nor that of the post
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
  if (shown !== undefined) return `its header ${shown} has none of the values of auth.header.`
  if (authorization === null || authorization === '')
    return `it has no ${[...(takesBasic ? ['Basic login'] : []), ...names.map((name) => `header ${name}`)].join(', and no ')}.`
  if (!/^Basic /i.test(authorization)) return 'its Authorization header is not a Basic login.'
  return takesBasic
    ? 'its Basic login is none of auth.basic.'
    : 'it has a Basic login, and auth takes a header only.'
}

/** A warning of the process shows the message only, so the cure is in it. */
function toError(refusal: Refusal, ours: boolean): PostmarkError {
  const who = ours ? 'A post with the trace ID of a Postmark webhook' : 'A post'
  const loss = ours
    ? 'Postmark drops this event for good.'
    : 'If it came from Postmark, its event is dropped for good; it has no trace ID, so it may be a stranger’s.'
  const hint =
    'Compare the URL and the headers of the webhook at Postmark with `auth`. reconcile() reads bounces that were lost.'
  return new PostmarkError(
    'ERR_POSTMARK_WEBHOOK',
    `${who} was refused with 401: ${refusal} ${loss} ${hint}`,
    {
      hint,
    },
  )
}
