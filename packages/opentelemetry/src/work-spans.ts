import {
  type Attributes,
  context,
  type Link,
  type Span,
  SpanKind,
  SpanStatusCode,
  type Tracer,
  trace,
} from '@opentelemetry/api'
import type { EnqueueEvent, JobEvent, TracedWork, WebhookTrace } from '@postmark-smtp/core/internal'
import type { Listeners } from './listen.js'
import { linksTo, toTraceparent } from './trace-parent.js'

/** What may happen to a job through no fault of its mail. */
const NO_FAILURE: readonly (string | undefined)[] = ['sent', 'slow', 'pause', 'wait', 'give-back']

/** Writes the trace context of whoever enqueues into the job, and gives its mail a span that is linked to that. */
export function observeJobs(tracer: Tracer): Listeners {
  const spans = new WeakMap<JobEvent, Span>()
  return {
    on: {
      'postmark-smtp:enqueue': ({ trace: carrier }: EnqueueEvent) => {
        const traceparent = toTraceparent(trace.getSpanContext(context.active()))
        // What `injectTrace` of the queue wrote is the caller's own.
        if (traceparent !== undefined) carrier.traceparent ??= traceparent
      },
      'tracing:postmark-smtp:job:start': (event: JobEvent & TracedWork) => {
        const attributes: Attributes = {
          ...toProcess('bullmq', event.queue),
          'postmark.job.attempts': event.attempt,
          // An ID of the application's own may be anything.
          ...(/^\d+$/.test(event.jobId ?? '') ? { 'messaging.message.id': event.jobId! } : {}),
        }
        spans.set(event, begin(tracer, event.queue, attributes, linksTo(event.trace.traceparent), event))
      },
      'tracing:postmark-smtp:job:asyncEnd': (event: JobEvent) => {
        const { outcome, code } = event
        const span = spans.get(event)
        span?.setAttributes({ 'postmark.job.outcome': outcome, 'error.type': code })
        if (!NO_FAILURE.includes(outcome))
          span?.setStatus({ code: SpanStatusCode.ERROR, message: code ?? '' })
        span?.end()
      },
    },
  }
}

/** Gives the handling of each webhook event a span that is linked to that of its mail. */
export function observeWebhooks(tracer: Tracer): Listeners {
  const spans = new WeakMap<WebhookTrace, Span>()
  return {
    on: {
      'tracing:postmark-smtp:webhook:start': (event: WebhookTrace & TracedWork) => {
        const attributes: Attributes = {
          ...toProcess('postmark', event.stream),
          'messaging.message.conversation_id': event.correlationId,
          'postmark.tag': event.tag,
          'postmark.webhook.kind': event.kind,
          'postmark.webhook.error_code': event.errorCode,
          'postmark.webhook.bounce_type': event.bounceType,
        }
        spans.set(event, begin(tracer, event.kind, attributes, linksTo(event.traceparent), event))
      },
      'tracing:postmark-smtp:webhook:asyncEnd': (event: WebhookTrace) => {
        const span = spans.get(event)
        span?.setAttribute('postmark.webhook.outcome', event.outcome ?? 'failed')
        if (event.outcome === 'failed') span?.setStatus({ code: SpanStatusCode.ERROR })
        span?.end()
      },
    },
  }
}

function toProcess(system: string, destination: string | undefined): Attributes {
  return {
    'messaging.system': system,
    'messaging.operation.name': 'process',
    'messaging.operation.type': 'process',
    'messaging.destination.name': destination,
  }
}

/** Starts a span, and has the work run in it. */
function begin(
  tracer: Tracer,
  what: string,
  attributes: Attributes,
  links: Link[],
  { runIn }: TracedWork,
): Span {
  const span = tracer.startSpan(`process ${what}`, { kind: SpanKind.CONSUMER, attributes, links })
  runIn((work) => context.with(trace.setSpan(context.active(), span), work))
  return span
}
