import { type MeterProvider, metrics, type TracerProvider, trace } from '@opentelemetry/api'
import { optionError, refuseUnknown } from '@postmark-smtp/core/internal'
import { listen } from './listen.js'
import { observeMails } from './mail-spans.js'
import { observeMetrics } from './metrics.js'
import { observeOnce } from './observe-once.js'
import { observeJobs, observeWebhooks } from './work-spans.js'

/** Options of {@link observePostmark}. An unknown option throws. */
export interface ObserveOptions {
  /** Receives the spans. Default: the global provider, even if it is registered later. */
  readonly tracerProvider?: TracerProvider | undefined
  /** Receives the metrics. Default: the global provider, which must already be registered. */
  readonly meterProvider?: MeterProvider | undefined
  /**
   * Adds the trace context of its span to each email's metadata, so that the spans of its webhook events are linked to it.
   * `true` uses the key `traceparent`, which is the default of the webhooks' `traceparentKey`. It takes one of the ten
   * metadata keys and never replaces yours. Default false.
   * @see https://www.w3.org/TR/trace-context/#traceparent-header
   */
  readonly traceparent?: boolean | { readonly key: string } | undefined
}

/** An observation that runs until you stop it. */
export interface PostmarkObservation {
  /**
   * Stops listening and ends the spans of emails that are still being sent, unless another observation reports to the same
   * provider. A second call does nothing.
   */
  stop(): void
}

const NAME = '@postmark-smtp/opentelemetry'
const OPTIONS = ['tracerProvider', 'meterProvider', 'traceparent']

/**
 * Creates spans and metrics for all mail that this process sends with `createPostmarkTransport`, for jobs of
 * `@postmark-smtp/bullmq`, and for the webhook events that it handles. None of them contains an address, a subject or a
 * secret. Call it once per process: a second observation that reports to the same provider adds nothing, and its
 * `traceparent` is ignored.
 * @example
 * const observation = observePostmark({ traceparent: true })
 * process.once('SIGTERM', () => observation.stop())
 * @throws PostmarkError ERR_POSTMARK_OPTIONS
 * @see https://opentelemetry.io/docs/specs/semconv/messaging/
 */
export function observePostmark(options: ObserveOptions = {}): PostmarkObservation {
  refuseUnknown(options, OPTIONS)
  const { tracerProvider = trace, meterProvider = metrics } = options
  if (typeof tracerProvider?.getTracer !== 'function')
    throw optionError('tracerProvider', tracerProvider, 'an OpenTelemetry TracerProvider')
  if (typeof meterProvider?.getMeter !== 'function')
    throw optionError('meterProvider', meterProvider, 'an OpenTelemetry MeterProvider')
  const key = toKey(options.traceparent)
  const ends = [
    observeOnce('spans', tracerProvider, () => reportSpans(tracerProvider, key)),
    observeOnce('metrics', meterProvider, () => reportMetrics(meterProvider)),
  ]
  return {
    stop() {
      for (const end of ends.splice(0)) end()
    },
  }
}

function reportSpans(provider: TracerProvider, key: string | undefined): () => void {
  const tracer = provider.getTracer(NAME)
  const mails = observeMails(tracer, key)
  const unlisten = listen([mails, observeJobs(tracer), observeWebhooks(tracer)])
  return () => {
    unlisten()
    mails.end()
  }
}

function reportMetrics(provider: MeterProvider): () => void {
  const measured = observeMetrics(provider.getMeter(NAME))
  const unlisten = listen([measured])
  return () => {
    unlisten()
    measured.end()
  }
}

function toKey(option: unknown): string | undefined {
  if (option === undefined || option === false) return undefined
  const key = option === true ? 'traceparent' : (Object(option) as { key?: unknown }).key
  // Characters of a header name, because the key becomes part of one.
  if (typeof key === 'string' && /^[!-9;-~]{1,20}$/.test(key)) return key
  throw optionError('traceparent', option, 'true, or { key } with at most 20 header-name characters')
}
