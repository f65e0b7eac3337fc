import { isSpanContextValid, type Link, type SpanContext } from '@opentelemetry/api'

const FORM = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/

/**
 * Formats a span context as a W3C `traceparent`, which the webhooks read, whatever propagator the application uses.
 * @returns undefined if there is no span or no SDK
 */
export function toTraceparent(context: SpanContext | undefined): string | undefined {
  if (!context || !isSpanContextValid(context)) return undefined
  const flags = context.traceFlags.toString(16).padStart(2, '0')
  return `00-${context.traceId}-${context.spanId}-${flags}`
}

/** A link to the span of a `traceparent`; empty if it is missing or not in that form. */
export function linksTo(traceparent: string | undefined): Link[] {
  const [, traceId, spanId, flags] = FORM.exec(traceparent ?? '') ?? []
  if (!traceId || !spanId || !flags) return []
  const context: SpanContext = { traceId, spanId, traceFlags: Number.parseInt(flags, 16), isRemote: true }
  return isSpanContextValid(context) ? [{ context }] : []
}
