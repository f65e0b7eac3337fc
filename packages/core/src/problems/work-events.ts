/** What our other packages publish on `node:diagnostics_channel`: jobs that send a mail, and webhooks. */
import { channel } from 'node:diagnostics_channel'
import { createTrace, type TracedEvent } from './tracing.js'

/** What `postmark-smtp:enqueue` carries: a mail becomes a job, in the context of whoever calls for that. */
export interface EnqueueEvent {
  /** The trace context that the job takes along: a subscriber writes into it. @example { traceparent: '00-…' } */
  readonly trace: Record<string, string>
}

/** What events of the tracing channel `postmark-smtp:job` carry: a worker sends the mail of a job. */
export interface JobEvent extends TracedEvent {
  readonly queue: string
  readonly jobId: string | undefined
  /** How often it was begun, this time included. */
  readonly attempt: number
  /** The trace context that the job carries. */
  readonly trace: Readonly<Record<string, string>>
  /** At the end: `sent`, or what follows for the job. @example 'retry' */
  outcome?: string
  /** The code of the error, where the mail was not sent. @example 'EENVELOPE' */
  code?: string | undefined
}

/** What events of the tracing channel `postmark-smtp:webhook` carry: an event of Postmark is handled. */
export interface WebhookTrace extends TracedEvent {
  /** What it means. @example 'bounced' */
  readonly kind: string
  readonly stream: string | undefined
  readonly tag: string | undefined
  readonly correlationId: string | undefined
  /** The trace context of the mail, in the form of W3C, where its metadata has it. */
  readonly traceparent: string | undefined
  /** Whether Postmark posted it to try the webhook. */
  readonly test: boolean
  /** Of a mail that Postmark refused after its 250: the error code. */
  readonly errorCode: number | undefined
  /** Of a bounce. @example 'HardBounce' */
  readonly bounceType: string | undefined
  /** At the end: `handled`, `duplicate`, `busy`, `failed`. */
  outcome?: string
}

const enqueue = channel('postmark-smtp:enqueue')

/** Lets subscribers write their trace context into a job. */
export function publishEnqueue(event: EnqueueEvent): void {
  if (enqueue.hasSubscribers) enqueue.publish(event)
}

export const traceJob: ReturnType<typeof createTrace<JobEvent>> = createTrace('postmark-smtp:job')
export const traceWebhook: ReturnType<typeof createTrace<WebhookTrace>> = createTrace('postmark-smtp:webhook')
