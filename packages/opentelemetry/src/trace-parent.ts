import { isSpanContextValid, type Link, type SpanContext } from '@opentelemetry/api'

const FORM = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/

/**
 * Writes a span context in the form of W3C, whatever propagator the application has: this is what the webhooks read.
 * @returns undefined where there is no span, or no SDK
 */
export function toTraceparent(context: SpanContext | undefined): string | undefined {
  if (!context || !isSpanContextValid(context)) return undefined
  const flags = context.traceFlags.toString(16).padStart(2, '0')
  return `00-${context.traceId}-${context.spanId}-${flags}`
}

/** Links to the span of a trace context; none where it is missing, or not in that form. */
export function linksTo(traceparent: string | undefined): Link[] {
  const [, traceId, spanId, flags] = FORM.exec(traceparent ?? '') ?? []
  if (!traceId || !spanId || !flags) return []
  const context: SpanContext = { traceId, spanId, traceFlags: Number.parseInt(flags, 16), isRemote: true }
  return isSpanContextValid(context) ? [{ context }] : []
}
