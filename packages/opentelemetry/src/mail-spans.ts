import { ROOT_CONTEXT, type Span, SpanKind, SpanStatusCode, type Tracer, trace } from '@opentelemetry/api'
import type { CreateEvent, Opening, RetryEvent, SendEvent } from '@postmark-smtp/core'
import type { Listeners } from './listen.js'
import { errorType, hasFailed } from './send-outcome.js'
import { toTraceparent } from './trace-parent.js'

/** An email whose span is open. */
interface Mail {
  readonly span: Span
  /** The stream in the name of its span. */
  readonly stream: string
  /** The server that its span was started with. */
  readonly host: string
  /** Undefined until the email is handed over. */
  event: SendEvent | undefined
  /** The connection whose opening already has its spans. */
  opening: Opening | undefined
}

/**
 * Creates one span per email, from the call of sendMail to the outcome. Its parent is the span that is active at the call.
 * @param key the metadata key of the trace context, if emails carry it
 */
export function observeMails(tracer: Tracer, key: string | undefined): Listeners & { end(): void } {
  const mails = new Map<number, Mail>()
  // A reader of an email's trace context is its consumer; without a trace context, an email is only a call.
  const kind = key === undefined ? SpanKind.CLIENT : SpanKind.PRODUCER

  const begin = (id: number, stream: string, host: string): Mail => {
    const attributes = {
      'messaging.system': 'postmark',
      'messaging.operation.name': 'send',
      'messaging.operation.type': 'send',
      'messaging.destination.name': stream,
      'server.address': host,
    }
    const span = tracer.startSpan(`send ${stream}`, { kind, attributes })
    const mail: Mail = { span, stream, host, event: undefined, opening: undefined }
    mails.set(id, mail)
    return mail
  }
  const traceOpening = (mail: Mail): void => {
    const opening = mail.event?.opening
    if (!opening || opening === mail.opening) return
    mail.opening = opening
    const parent = trace.setSpan(ROOT_CONTEXT, mail.span)
    const connectedAt = opening.startedAt + opening.connectMs
    tracer.startSpan('connect', { startTime: opening.startedAt }, parent).end(connectedAt)
    tracer.startSpan('login', { startTime: connectedAt }, parent).end(connectedAt + opening.loginMs)
  }

  return {
    on: {
      'postmark-smtp:create': ({ id, stream, host, addMetadata }: CreateEvent) => {
        const { span } = begin(id, stream, host)
        const traceparent = key === undefined ? undefined : toTraceparent(span.spanContext())
        if (key !== undefined && traceparent !== undefined) addMetadata(key, traceparent)
      },
      'tracing:postmark-smtp:send:start': (event: SendEvent) => {
        // Called before the observation began: its span begins late, but it exists.
        const mail = mails.get(event.id) ?? begin(event.id, event.stream, event.host)
        mail.event = event
      },
      'postmark-smtp:retry': (event: RetryEvent) => {
        const mail = mails.get(event.id)
        if (!mail) return
        traceOpening(mail)
        mail.span.addEvent('retry', {
          'postmark.attempts': event.attempt,
          'postmark.outcome': event.outcome,
          'postmark.pause_ms': Math.round(event.pauseMs),
          'error.type': errorType(event),
          ...(mail.event ? { 'postmark.phase': mail.event.phase } : {}),
          ...(event.responseCode === undefined ? {} : { 'postmark.reply.code': event.responseCode }),
        })
      },
      'tracing:postmark-smtp:send:asyncEnd': (event: SendEvent) => {
        const mail = mails.get(event.id)
        if (!mail) return
        mails.delete(event.id)
        // A span that is not sampled takes no attributes.
        if (!mail.span.isRecording()) return
        mail.event = event
        if (event.opening) traceOpening(mail)
        endSpan(mail, event)
      },
    },
    end() {
      for (const { span } of mails.values()) span.end()
      mails.clear()
    },
  }
}

/** Sets each attribute on its own, which takes the SDK half the time of one call with all of them. */
function endSpan({ span, stream: expected, host: expectedHost }: Mail, event: SendEvent): void {
  const { stream, host, port, tag, correlationId, recipientCount, attempt, outcome } = event
  // A plugin, or the headers of a raw message, may name another stream than the one that sendMail was called with.
  if (stream !== expected) {
    span.updateName(`send ${stream}`)
    span.setAttribute('messaging.destination.name', stream)
  }
  if (host !== expectedHost) span.setAttribute('server.address', host)
  if (port !== undefined) span.setAttribute('server.port', port)
  span.setAttribute('postmark.attempts', attempt)
  if (tag !== undefined) span.setAttribute('postmark.tag', tag)
  if (correlationId !== undefined) span.setAttribute('messaging.message.conversation_id', correlationId)
  if (recipientCount > 0) span.setAttribute('postmark.recipient.count', recipientCount)
  if (outcome !== undefined) span.setAttribute('postmark.outcome', outcome)
  if (hasFailed(event)) noteFailure(span, event)
  span.end()
}

function noteFailure(span: Span, event: SendEvent): void {
  const { responseCode, phase } = event
  const type = errorType(event)
  span.setAttribute('error.type', type)
  if (responseCode !== undefined) span.setAttribute('postmark.reply.code', responseCode)
  span.setAttribute('postmark.phase', phase)
  // Neither the error nor its message is recorded: both may contain an address.
  span.setStatus({ code: SpanStatusCode.ERROR, message: type })
}
