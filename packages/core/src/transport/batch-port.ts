import type { MailRecord } from '../compile/mail-record.js'
import type { BatchPart } from '../delivery/batch-tie.js'
import { isRecord } from '../problems/describe.js'
import { type PostmarkError, problemsError } from '../problems/error.js'
import type { StreamType } from '../smtp/credentials.js'

/** What sendBatch needs from a transport. */
export interface BatchPort {
  /** The maximum number of open connections. */
  readonly connections: number
  /** The maximum number of emails on one connection without a reply. */
  readonly inFlight: number
  /** The maximum number of emails that wait for a connection. */
  readonly maxQueued: number
  readonly hasSendOnce: boolean
}

/** A transporter that was created from ours is not nested deeper. */
const DEEPEST = 4

/** Our transport that a transporter uses. Undefined if it uses another one. */
export function findPort(transporter: unknown): BatchPort | undefined {
  let subject = transporter
  for (let depth = 0; depth < DEEPEST && isRecord(subject); depth++) {
    const { batchPort, transporter: inner } = subject
    if (isRecord(batchPort)) return batchPort as unknown as BatchPort
    subject = inner
  }
  return undefined
}

/** What the delivery of an email needs to know about its batch. */
export function partOf(record: MailRecord | undefined): BatchPart | undefined {
  return record?.batch && { batch: record.batch.batch, body: record.body }
}

/** Why an email of a batch must not be sent on its stream. */
export function refuseBatch(
  record: MailRecord | undefined,
  type: StreamType,
  stream: string,
): PostmarkError | undefined {
  if (!record?.batch || record.batch.batch.allowTransactional || type === 'broadcasts') return undefined
  return problemsError('ERR_POSTMARK_PREFLIGHT', [
    {
      path: 'messageStream',
      found: `is ${JSON.stringify(stream)}, which the options do not declare as a broadcast stream`,
      limit: 'a broadcast stream for sendBatch',
      cure: `Declare one: \`streams: { news: { type: "broadcasts" } }\`. For mail that each recipient triggered, such as invoices, set \`allowTransactional: true\`.`,
      severity: 'error',
    },
  ])
}
