import type { Attributes, Meter, ObservableCallback } from '@opentelemetry/api'
import type { ConnectEvent, PostmarkProblem, RetryEvent, SendEvent } from '@postmark-smtp/core'
import { type JobEvent, type RouteState, routeStates, type WebhookTrace } from '@postmark-smtp/core/internal'
import type { Listeners } from './listen.js'
import { toProblemPath } from './problem-path.js'
import { errorType, hasFailed } from './send-outcome.js'
import { jobErrorType, webhookErrorType } from './work-outcome.js'

/** In seconds, from the messaging conventions; an email with its retries may take minutes. */
const BOUNDARIES = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10, 30, 60, 180]

/** Counts and measures emails, jobs and webhook events; reads queues and connections whenever metrics are collected. */
export function observeMetrics(meter: Meter): Listeners & { end(): void } {
  const count = (name: string, unit: string, description: string) =>
    meter.createCounter(name, { unit, description })
  const seconds = (name: string, description: string) =>
    meter.createHistogram(name, {
      unit: 's',
      description,
      advice: { explicitBucketBoundaries: BOUNDARIES },
    })
  const gauge = (name: string, unit: string, description: string) =>
    meter.createObservableUpDownCounter(name, { unit, description })

  const sent = count(
    'messaging.client.sent.messages',
    '{message}',
    'Emails that a server was asked to accept',
  )
  const duration = seconds(
    'messaging.client.operation.duration',
    'Time from the call of sendMail to the outcome',
  )
  const processing = seconds(
    'messaging.process.duration',
    'Time to process a job, or a webhook event with its handlers',
  )
  const unknown = count(
    'postmark.client.unknown.messages',
    '{message}',
    'Emails that may or may not have been sent',
  )
  const retries = count('postmark.client.retries', '{retry}', 'Failed attempts that were followed by another')
  const connects = seconds('postmark.client.connect.duration', "Time until the server's greeting")
  const refusals = count(
    'postmark.client.preflight.refusals',
    '{problem}',
    'Problems for which emails were refused',
  )
  const warnings = count('postmark.client.preflight.warnings', '{problem}', 'Problems that caused a warning')
  const webhooks = count('postmark.webhook.events', '{event}', 'Webhook events that the handler received')
  const queue = gauge(
    'postmark.client.queue.length',
    '{message}',
    'Emails that wait for a connection or for their next attempt',
  )
  const connections = gauge('postmark.client.connections', '{connection}', 'Connections by state')

  // One for each instrument: the callback for several of them at once does nothing in some providers.
  const readQueue: ObservableCallback = (result) => {
    for (const { host, queued } of byHost(routeStates())) result.observe(queued, { 'server.address': host })
  }
  const readConnections: ObservableCallback = (result) => {
    for (const { host, opening, idle, busy } of byHost(routeStates())) {
      const at = { 'server.address': host }
      result.observe(busy, { ...at, 'postmark.connection.state': 'used' })
      result.observe(idle, { ...at, 'postmark.connection.state': 'idle' })
      result.observe(opening, { ...at, 'postmark.connection.state': 'opening' })
    }
  }
  queue.addCallback(readQueue)
  connections.addCallback(readConnections)

  return {
    on: {
      'tracing:postmark-smtp:send:asyncEnd': (event: SendEvent) => {
        const attributes = toAttributes(event)
        duration.record((event.durationMs ?? 0) / 1000, attributes)
        if (event.attempt > 0) sent.add(1, attributes)
        if (event.outcome === 'unknown') unknown.add(1, attributes)
        for (const path of event.paths ?? [])
          refusals.add(1, { 'postmark.problem.path': toProblemPath(path) })
      },
      'postmark-smtp:retry': (event: RetryEvent) => {
        retries.add(1, {
          'messaging.destination.name': event.stream,
          'postmark.outcome': event.outcome,
          'error.type': errorType(event),
        })
      },
      'postmark-smtp:connect': ({ host, port, durationMs }: ConnectEvent) => {
        connects.record(durationMs / 1000, { 'server.address': host, 'server.port': port })
      },
      'postmark-smtp:warning': ({ path }: PostmarkProblem) => {
        warnings.add(1, { 'postmark.problem.path': toProblemPath(path) })
      },
      'tracing:postmark-smtp:job:asyncEnd': (event: JobEvent) => {
        const attributes = toProcess('bullmq', event.queue, jobErrorType(event))
        processing.record((event.durationMs ?? 0) / 1000, attributes)
      },
      'tracing:postmark-smtp:webhook:asyncEnd': (event: WebhookTrace) => {
        const { kind, stream, outcome = 'failed', durationMs = 0 } = event
        const destination: Attributes = stream === undefined ? {} : { 'messaging.destination.name': stream }
        const what = { 'postmark.webhook.kind': kind, 'postmark.webhook.outcome': outcome }
        webhooks.add(1, { ...destination, ...what })
        processing.record(durationMs / 1000, toProcess('postmark', stream, webhookErrorType(event)))
      },
    },
    end() {
      queue.removeCallback(readQueue)
      connections.removeCallback(readConnections)
    },
  }
}

/** Written out, because building the object from others takes longer than all that is done with it. */
function toAttributes(event: SendEvent): Attributes {
  const { stream, host, port, outcome = 'not-sent' } = event
  const attributes: Attributes = {
    'messaging.system': 'postmark',
    'messaging.operation.name': 'send',
    'messaging.operation.type': 'send',
    'messaging.destination.name': stream,
    'server.address': host,
    'postmark.outcome': outcome,
  }
  if (port !== undefined) attributes['server.port'] = port
  if (hasFailed(event)) attributes['error.type'] = errorType(event)
  return attributes
}

function toProcess(system: string, destination: string | undefined, error: string | undefined): Attributes {
  return {
    'messaging.system': system,
    'messaging.operation.name': 'process',
    'messaging.operation.type': 'process',
    ...(destination === undefined ? {} : { 'messaging.destination.name': destination }),
    ...(error === undefined ? {} : { 'error.type': error }),
  }
}

/** Two logins at one host share a row, because of two values with the same attributes only the last would count. */
function byHost(states: readonly RouteState[]): Iterable<RouteState> {
  const hosts = new Map<string, RouteState>()
  for (const { host, ...state } of states) {
    const { queued = 0, opening = 0, idle = 0, busy = 0 } = hosts.get(host) ?? {}
    hosts.set(host, {
      host,
      queued: queued + state.queued,
      opening: opening + state.opening,
      idle: idle + state.idle,
      busy: busy + state.busy,
    })
  }
  return hosts.values()
}
