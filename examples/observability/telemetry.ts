import { context, type Span, SpanKind, type Tracer, trace } from '@opentelemetry/api'
import { PrometheusExporter } from '@opentelemetry/exporter-prometheus'
import { MeterProvider } from '@opentelemetry/sdk-metrics'
import { SimpleSpanProcessor, type SpanExporter } from '@opentelemetry/sdk-trace-base'
import { NodeTracerProvider } from '@opentelemetry/sdk-trace-node'
import { observePostmark } from '@postmark-smtp/opentelemetry'
import type { RequestHandler } from 'express'

/** What the rest of the application needs of OpenTelemetry. */
export interface Telemetry extends AsyncDisposable {
  /** Gives each request a span; in production `@opentelemetry/instrumentation-http` does that. */
  readonly traceRequests: RequestHandler
  /** Answers Prometheus. */
  readonly metrics: RequestHandler
}

/**
 * Starts OpenTelemetry, before anything else. In production the exporter is one of OTLP, in a `BatchSpanProcessor`.
 * @param exporter where spans go
 */
export function startTelemetry(exporter: SpanExporter): Telemetry {
  const tracerProvider = new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] })
  tracerProvider.register()
  const prometheus = new PrometheusExporter({ preventServerStart: true })
  const meterProvider = new MeterProvider({ readers: [prometheus] })
  const observation = observePostmark({ tracerProvider, meterProvider, traceparent: true })
  const tracer = tracerProvider.getTracer('shop')
  return {
    traceRequests: (req, res, next) => {
      const span = startRequest(tracer, `${req.method} ${req.path}`)
      res.once('close', () => span.end())
      context.with(trace.setSpan(context.active(), span), next)
    },
    metrics: (req, res) => prometheus.getMetricsRequestHandler(req, res),
    async [Symbol.asyncDispose]() {
      observation.stop()
      await tracerProvider.shutdown()
      await meterProvider.shutdown()
      // The one that register() has put there.
      trace.disable()
      context.disable()
    },
  }
}

function startRequest(tracer: Tracer, name: string): Span {
  return tracer.startSpan(name, { kind: SpanKind.SERVER })
}
