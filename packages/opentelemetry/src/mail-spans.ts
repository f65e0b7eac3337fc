import {
  type Attributes,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  type Tracer,
  trace,
} from '@opentelemetry/api'
import type { CreateEvent, Opening, RetryEvent, SendEvent } from '@postmark-smtp/core'
import type { Listeners } from './listen.js'
import { hasFailed, toErrorType } from './send-outcome.js'
import { toTraceparent } from './trace-parent.js'

/** A mail whose span is open. */
interface Mail {
  readonly span: Span
  /** The stream in the name of its span. */
  readonly stream: string
  /** Undefined until the mail is handed over. */
  event: SendEvent | undefined
  /** The connection whose opening has its spans already. */
  opening: Opening | undefined
}

/**
 * One span per mail, from the call of sendMail to its outcome, whose parent is what was active there.
 * @param key the metadata key of the trace context, where mails carry it
 */
export function observeMails(tracer: Tracer, key: string | undefined): Listeners & { end(): void } {
  const mails = new Map<number, Mail>()
  // Whoever reads the trace context of a mail is a consumer of it; without one, a mail is only a call.
  const kind = key === undefined ? SpanKind.CLIENT : SpanKind.PRODUCER

  const begin = (id: number, stream: string): Mail => {
    const attributes = {
      'messaging.system': 'postmark',
      'messaging.operation.name': 'send',
      'messaging.operation.type': 'send',
      'messaging.destination.name': stream,
    }
    const span = tracer.startSpan(`send ${stream}`, { kind, attributes })
    const mail: Mail = { span, stream, event: undefined, opening: undefined }
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
      'postmark-smtp:create': ({ id, stream, addMetadata }: CreateEvent) => {
        const { span } = begin(id, stream)
        const traceparent = key === undefined ? undefined : toTraceparent(span.spanContext())
        if (key !== undefined && traceparent !== undefined) addMetadata(key, traceparent)
      },
      'tracing:postmark-smtp:send:start': (event: SendEvent) => {
        // Sent before the observation began: its span begins late, but is there.
        const mail = mails.get(event.id) ?? begin(event.id, event.stream)
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
          ...(mail.event ? { 'postmark.phase': mail.event.phase } : {}),
          ...toErrorType(event),
          ...toReplyCode(event),
        })
      },
      'tracing:postmark-smtp:send:asyncEnd': (event: SendEvent) => {
        const mail = mails.get(event.id)
        if (!mail) return
        mails.delete(event.id)
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

function endSpan({ span, stream: expected }: Mail, event: SendEvent): void {
  const { stream, host, port, tag, correlationId, recipientCount, attempt, outcome } = event
  const attributes: Attributes = { 'server.address': host, 'postmark.attempts': attempt }
  if (port !== undefined) attributes['server.port'] = port
  if (tag !== undefined) attributes['postmark.tag'] = tag
  if (correlationId !== undefined) attributes['messaging.message.conversation_id'] = correlationId
  if (recipientCount > 0) attributes['postmark.recipient.count'] = recipientCount
  if (outcome !== undefined) attributes['postmark.outcome'] = outcome
  // A plugin, or the headers of a raw message, may name another stream than the one that sendMail was called with.
  if (stream !== expected) {
    span.updateName(`send ${stream}`)
    attributes['messaging.destination.name'] = stream
  }
  if (hasFailed(event)) {
    Object.assign(attributes, toErrorType(event), toReplyCode(event), { 'postmark.phase': event.phase })
    // Neither the error nor its message: both may name an address.
    span.setStatus({ code: SpanStatusCode.ERROR, message: event.code ?? '' })
  }
  span.setAttributes(attributes)
  span.end()
}

function toReplyCode({ responseCode }: { readonly responseCode?: number | undefined }): Attributes {
  return responseCode === undefined ? {} : { 'postmark.reply.code': responseCode }
}
