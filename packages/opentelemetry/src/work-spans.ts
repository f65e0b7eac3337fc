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
import { jobErrorType, webhookErrorType } from './work-outcome.js'

/** Adds the trace context of the enqueuing code to the job, and gives the job a span that is linked to it. */
export function observeJobs(tracer: Tracer): Listeners {
  const spans = new WeakMap<JobEvent, Span>()
  return {
    on: {
      'postmark-smtp:enqueue': ({ trace: carrier }: EnqueueEvent) => {
        const traceparent = toTraceparent(trace.getSpanContext(context.active()))
        // A value that the queue's `injectTrace` wrote is the caller's, and is kept.
        if (traceparent !== undefined) carrier.traceparent ??= traceparent
      },
      'tracing:postmark-smtp:job:start': (event: JobEvent & TracedWork) => {
        const attributes: Attributes = {
          ...toProcess('bullmq', event.queue),
          'postmark.job.attempts': event.attempt,
          // An ID that the application chose may contain anything.
          ...(/^\d+$/.test(event.jobId ?? '') ? { 'messaging.message.id': event.jobId! } : {}),
        }
        spans.set(event, begin(tracer, event.queue, attributes, linksTo(event.trace.traceparent), event))
      },
      'tracing:postmark-smtp:job:asyncEnd': (event: JobEvent) => {
        end(spans.get(event), { 'postmark.job.outcome': event.outcome }, jobErrorType(event))
      },
    },
  }
}

/** Gives the handling of each webhook event a span that is linked to that of its email. */
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
        const outcome = { 'postmark.webhook.outcome': event.outcome ?? 'failed' }
        end(spans.get(event), outcome, webhookErrorType(event))
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

/** Starts a span and runs the work in it. */
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

/** @param error undefined if it did not fail */
function end(span: Span | undefined, attributes: Attributes, error: string | undefined): void {
  span?.setAttributes({ ...attributes, 'error.type': error })
  if (error !== undefined) span?.setStatus({ code: SpanStatusCode.ERROR, message: error })
  span?.end()
}
