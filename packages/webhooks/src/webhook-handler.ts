import { toPublicCode, traceWebhook, type WebhookTrace } from '@postmark-smtp/core/internal'
import { PostmarkError, runWithPostmark } from '@postmark-smtp/core/pure'
import { dedupeKey } from './dedupe.js'
import { type Handled, handleOnce } from './handle-once.js'
import { parseWebhook } from './parse-webhook.js'
import { readBody } from './read-body.js'
import { isObject, readText } from './read-value.js'
import type { WebhookEvent } from './webhook-event.js'
import { toWebhookSettings, type WebhookHandlerOptions, type WebhookSettings } from './webhook-options.js'

/** What a Web-standard Request does not contain: the second argument of a {@link WebhookHandler}. */
export interface WebhookRequestInfo {
  /** The address of the connection; only needed for `auth.ips`. */
  readonly remoteAddress?: string | undefined
  /** What an earlier parser has read: an object, a string or bytes. Without it, the body of the request is read. */
  readonly body?: unknown
}

/**
 * Answers a request of Postmark's webhooks; its promise never rejects. You can use it as a route handler of Next.js.
 * @param context a {@link WebhookRequestInfo}. Its type is `unknown` because frameworks pass something else here, such as
 * the `params` of Next.js, which is ignored
 * @example export const POST = createWebhookHandler({ auth, on })
 * @example handle(request, { body, remoteAddress } satisfies WebhookRequestInfo)
 */
export type WebhookHandler = (request: Request, context?: unknown) => Promise<Response>

/**
 * Creates the function that answers Postmark's webhooks: it authenticates the request, reads the event, and calls your
 * handlers once per event. 200 means that the event was accepted; after 500 and 503 Postmark posts it again.
 * Handlers run in a clean scope with the event's correlation ID, so the email that they send is correlated as well.
 * @example
 * const handle = createWebhookHandler({
 *   auth: { basic: { username: 'postmark', password } },
 *   on: { rejected: (event) => alertSender(event.correlationId, event.cause) },
 * })
 * @throws PostmarkError ERR_POSTMARK_OPTIONS, also if no secret is given
 * @see https://postmarkapp.com/developer/webhooks/webhooks-overview
 */
export function createWebhookHandler(options: WebhookHandlerOptions): WebhookHandler {
  const settings = toWebhookSettings(options)
  return async (request, context) => {
    try {
      return reply(...(await receive(settings, request, toInfo(context))))
    } catch (error) {
      settings.tell(error, undefined)
      return reply(500, 'The request could not be read')
    }
  }
}

function toInfo(context: unknown): WebhookRequestInfo {
  const { remoteAddress, body } = isObject(context) ? context : {}
  return { remoteAddress: readText(remoteAddress), body }
}

type Answer = readonly [status: number, text: string]

const ANSWERS: Readonly<Record<Handled, Answer>> = {
  handled: [200, 'OK'],
  duplicate: [200, 'OK, already handled'],
  busy: [503, 'The same event is being handled'],
  failed: [500, 'A handler failed'],
}

async function receive(
  { authenticate, reportRefusal, limits, parsing, dedupe, on, tell }: WebhookSettings,
  request: Request,
  info: WebhookRequestInfo,
): Promise<Answer> {
  if (request.method !== 'POST') return [405, 'Only POST is allowed']
  const auth = authenticate(request.headers, info.remoteAddress)
  if (auth.state === 'wrong') {
    reportRefusal(request.headers)
    return [401, 'Wrong credentials']
  }
  if (auth.state === 'elsewhere') {
    tell(elsewhere(auth.address), undefined)
    return [503, `Not from an address in auth.ips: ${auth.address}`]
  }
  const { json, refusal } = await readBody(request, info.body, limits)
  if (refusal) return refusal
  const event = parse(json, parsing)
  if (event === undefined) return [400, 'The body is not a JSON object']
  const key = dedupeKey(request.headers, event)
  const claim = dedupe && key !== undefined ? { store: dedupe, key } : undefined
  const handle = () => dispatch(on, event, parsing.correlationKey)
  const handled = await traceWebhook(
    toTrace(event),
    () => handleOnce(claim, handle, (error) => tell(error, event)),
    (trace, outcome) => {
      trace.outcome = outcome
    },
  )
  return ANSWERS[handled]
}

/** What subscribers of the channel may know about an event: no address, no subject, no text of Postmark. */
function toTrace(event: WebhookEvent): WebhookTrace {
  const { kind, messageStream: stream, tag, correlationId, traceparent, test } = event
  const errorCode = kind === 'rejected' ? event.errorCode : undefined
  const bounceType = 'bounceType' in event ? toPublicCode(event.bounceType) : undefined
  return { kind, stream, tag, correlationId, traceparent, test, errorCode, bounceType }
}

/** Either the list is out of date or the secret has leaked; in both cases the event must not be lost unnoticed. */
function elsewhere(address: string): PostmarkError {
  const hint =
    'Compare auth.ips with the addresses that Postmark publishes, and trustProxies with your proxies. Postmark tries again.'
  return new PostmarkError(
    'ERR_POSTMARK_WEBHOOK',
    `A request with the right secret came from ${address}, which is not in auth.ips. ${hint}`,
    { hint },
  )
}

function parse(json: unknown, parsing: WebhookSettings['parsing']): WebhookEvent | undefined {
  try {
    const event = parseWebhook(json, parsing)
    return event.kind === 'inbound' ? { ...event, receivedAt: event.receivedAt ?? new Date() } : event
  } catch {
    return undefined
  }
}

/** Tag and stream stay in the event: an alert about a broadcast must not be sent as a broadcast. */
function dispatch(on: WebhookSettings['on'], event: WebhookEvent, correlationKey: string): Promise<void> {
  const { kind, correlationId } = event
  const fields = correlationId === undefined ? {} : { metadata: { [correlationKey]: correlationId } }
  const run = async () => {
    await (on[kind] as ((event: WebhookEvent) => unknown) | undefined)?.(event)
    await on.any?.(event)
  }
  return runWithPostmark(fields, run, { inherit: false })
}

function reply(status: number, text: string): Response {
  const headers = new Headers({ 'content-type': 'text/plain; charset=utf-8' })
  if (status === 401) headers.set('www-authenticate', 'Basic realm="webhooks"')
  if (status === 405) headers.set('allow', 'POST')
  return new Response(text, { status, headers })
}
