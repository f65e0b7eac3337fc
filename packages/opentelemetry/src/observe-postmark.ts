import { type MeterProvider, metrics, type TracerProvider, trace } from '@opentelemetry/api'
import { optionError, refuseUnknown } from '@postmark-smtp/core/internal'
import { listen } from './listen.js'
import { observeMails } from './mail-spans.js'
import { observeMetrics } from './metrics.js'
import { observeOnce } from './observe-once.js'
import { observeJobs, observeWebhooks } from './work-spans.js'

/** What {@link observePostmark} takes; an unknown option fails at once. */
export interface ObserveOptions {
  /** Where spans go. Default: the global one, also where it is registered later. */
  readonly tracerProvider?: TracerProvider | undefined
  /** Where metrics go. Default: the global one, which must be registered before. */
  readonly meterProvider?: MeterProvider | undefined
  /**
   * Gives each mail the trace context of its span in its metadata, so that the spans of its webhook events are linked to
   * it. True names the key `traceparent`, as `traceparentKey` of the webhooks does. It takes one of the ten metadata keys,
   * and yields to yours. Default false.
   * @see https://www.w3.org/TR/trace-context/#traceparent-header
   */
  readonly traceparent?: boolean | { readonly key: string } | undefined
}

/** An observation that goes on until it is stopped. */
export interface PostmarkObservation {
  /**
   * Listens no longer, and ends the spans of mails that are under way, unless another observation reports to the same
   * provider. A second call does nothing.
   */
  stop(): void
}

const NAME = '@postmark-smtp/opentelemetry'
const OPTIONS = ['tracerProvider', 'meterProvider', 'traceparent']

/**
 * Makes spans and metrics of all mail that this process sends by `createPostmarkTransport`, of the jobs of
 * `@postmark-smtp/bullmq`, and of the webhook events that it handles. None of them holds an address, a subject or a secret.
 * One per process is enough: a second one that reports to the same provider adds nothing, and its `traceparent` is not
 * looked at.
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
    throw optionError('tracerProvider', tracerProvider, 'a TracerProvider of OpenTelemetry')
  if (typeof meterProvider?.getMeter !== 'function')
    throw optionError('meterProvider', meterProvider, 'a MeterProvider of OpenTelemetry')
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
  // What a header name may hold, since that is where it goes.
  if (typeof key === 'string' && /^[!-9;-~]{1,20}$/.test(key)) return key
  throw optionError('traceparent', option, 'true, or { key } of at most 20 header-name characters')
}
