/** What our other packages publish on `node:diagnostics_channel`: jobs that send mail, and webhooks. */
import { channel } from 'node:diagnostics_channel'
import { createTrace, type TracedEvent } from './tracing.js'

/** The event of `postmark-smtp:enqueue`: an email becomes a job. It is published in the caller's context. */
export interface EnqueueEvent {
  /** The trace context that the job carries. A subscriber writes into it. @example { traceparent: '00-…' } */
  readonly trace: Record<string, string>
}

/** The event of the tracing channel `postmark-smtp:job`: a worker sends the email of a job. */
export interface JobEvent extends TracedEvent {
  readonly queue: string
  readonly jobId: string | undefined
  /** The number of attempts, including this one. */
  readonly attempt: number
  /** The trace context that the job carries. */
  readonly trace: Readonly<Record<string, string>>
  /** At the end: `sent`, or what happens to the job. @example 'retry' */
  outcome?: string
  /** The error code, if the mail was not sent. @example 'EENVELOPE' */
  code?: string | undefined
}

/** The event of the tracing channel `postmark-smtp:webhook`: an event from Postmark is handled. */
export interface WebhookTrace extends TracedEvent {
  /** What it means. @example 'bounced' */
  readonly kind: string
  readonly stream: string | undefined
  readonly tag: string | undefined
  readonly correlationId: string | undefined
  /** The trace context of the email in W3C format, if its metadata has one. */
  readonly traceparent: string | undefined
  /** Whether Postmark posted it to test the webhook. */
  readonly test: boolean
  /** The error code, if Postmark refused the email after its 250. */
  readonly errorCode: number | undefined
  /** The type, if it is a bounce. @example 'HardBounce' */
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
