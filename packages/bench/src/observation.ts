import { type Context, context, trace } from '@opentelemetry/api'
import { MeterProvider } from '@opentelemetry/sdk-metrics'
import { BatchSpanProcessor, type SpanExporter } from '@opentelemetry/sdk-trace-base'
import { NodeTracerProvider } from '@opentelemetry/sdk-trace-node'
import { observePostmark } from '@postmark-smtp/opentelemetry'
import type { Environment } from './environment.js'
import { judge } from './goal.js'
import { type Contender, countOf, measure } from './measure.js'
import { multipart, oneLine } from './messages.js'
import type { Section } from './section.js'
import { ours } from './senders.js'

const GOAL = { of: 'CPU', is: 'at most', limit: 1.05 } as const
const CONCURRENCY = 50

/** Takes spans and forgets them: what an exporter does with them is its own affair. */
const forgetful: SpanExporter = {
  export: (_spans, done) => done({ code: 0 }),
  shutdown: async () => {},
}

/** What spans and metrics of each mail cost, in an application whose requests have spans anyway. */
export async function measureObservation(env: Environment): Promise<Section[]> {
  const tracerProvider = new NodeTracerProvider({ spanProcessors: [new BatchSpanProcessor(forgetful)] })
  tracerProvider.register()
  const tracer = tracerProvider.getTracer('application')
  const request = () => trace.setSpan(context.active(), tracer.startSpan('request'))
  const sections = [
    await measureCase(env, 'a text of one line', oneLine, tracerProvider, request),
    await measureCase(env, 'text and HTML, 2.8 kB', multipart, tracerProvider, request),
  ]
  await tracerProvider.shutdown()
  return sections
}

async function measureCase(
  env: Environment,
  title: string,
  message: object,
  tracerProvider: NodeTracerProvider,
  request: () => Context,
): Promise<Section> {
  const target = { port: env.near, cert: env.cert }
  const transporters = [ours(target), ours(target), ours(target)]
  const meterProvider = new MeterProvider()
  const sendMany = async (count: number, index: number) => {
    let next = 0
    const work = async () => {
      while (next++ < count) {
        await context.with(request(), () => transporters[index]!.sendMail(message))
      }
    }
    await Promise.all(Array.from({ length: CONCURRENCY }, work))
  }
  const contenders: Contender[] = [
    { name: 'not observed', run: (count) => sendMany(count, 0) },
    {
      name: 'observePostmark',
      async run(count) {
        const observation = observePostmark({ tracerProvider, meterProvider })
        await sendMany(count, 1)
        observation.stop()
      },
    },
    { name: 'not observed, after stop()', run: (count) => sendMany(count, 2) },
  ]
  const rounds = { rounds: env.rounds(30), perRound: 200, concurrency: CONCURRENCY, warmUp: 1000, leadIn: 50 }
  const results = await measure(contenders, rounds)
  for (const transporter of transporters) await transporter.close()
  await meterProvider.shutdown()
  env.tally(contenders.length * countOf(rounds))
  const { cpuMicros: first } = results[0]!
  return {
    title: `OpenTelemetry, ${title}: every request and every mail has a span, loopback`,
    headings: ['mails', 'CPU µs/mail', 'mails/s', 'CPU against not observed', 'goal'],
    rows: results.map(({ name, cpuMicros, perSecond }, index) => [
      name,
      cpuMicros,
      perSecond,
      cpuMicros / first,
      index === 1 ? judge(GOAL, cpuMicros / first) : '',
    ]),
    charts: [{ column: 3, better: 'lower' }],
  }
}
