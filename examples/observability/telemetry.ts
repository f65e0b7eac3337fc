import { context, type Span, SpanKind, type Tracer, trace } from '@opentelemetry/api'
import { PrometheusExporter } from '@opentelemetry/exporter-prometheus'
import { MeterProvider } from '@opentelemetry/sdk-metrics'
import { SimpleSpanProcessor, type SpanExporter } from '@opentelemetry/sdk-trace-base'
import { NodeTracerProvider } from '@opentelemetry/sdk-trace-node'
import { observePostmark } from '@postmark-smtp/opentelemetry'
import type { RequestHandler } from 'express'

/** The parts of OpenTelemetry that the rest of the application uses. */
export interface Telemetry extends AsyncDisposable {
  /** Creates a span for each request. In production, `@opentelemetry/instrumentation-http` does this. */
  readonly traceRequests: RequestHandler
  /** Responds to Prometheus. */
  readonly metrics: RequestHandler
}

/**
 * Starts OpenTelemetry. Call it before anything else. In production, use an OTLP exporter in a `BatchSpanProcessor`.
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
      // Undo what register() has set.
      trace.disable()
      context.disable()
    },
  }
}

function startRequest(tracer: Tracer, name: string): Span {
  return tracer.startSpan(name, { kind: SpanKind.SERVER })
}
