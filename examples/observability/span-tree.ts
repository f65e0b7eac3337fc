import type { ReadableSpan } from '@opentelemetry/sdk-trace-base'

/** Returns the spans as lines, each below its parent and with the span it is linked to. */
export function toTree(spans: readonly ReadableSpan[]): string[] {
  const names = new Map(spans.map((span) => [span.spanContext().spanId, span.name]))
  const below = (parent: string | undefined, indent: string): string[] =>
    spans
      .filter(({ parentSpanContext }) => parentSpanContext?.spanId === parent)
      .flatMap((span) => [
        `${indent}${span.name}${toLinks(span)}`,
        ...below(span.spanContext().spanId, `${indent}  `),
      ])
  const toLinks = ({ links }: ReadableSpan) =>
    links.map(({ context }) => ` (linked to: ${names.get(context.spanId)})`).join('')
  return below(undefined, '')
}
