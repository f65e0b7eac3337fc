import type { MailRecord } from '../compile/mail-record.js'
import type { BatchPart } from '../delivery/batch-tie.js'
import { isRecord } from '../problems/describe.js'
import { type PostmarkError, problemsError } from '../problems/error.js'
import type { StreamType } from '../smtp/credentials.js'

/** What sendBatch asks of a transport. */
export interface BatchPort {
  /** Connections that may be open at once. */
  readonly connections: number
  /** Mails that may be out on one connection without a reply. */
  readonly inFlight: number
  /** Mails that may wait for one. */
  readonly maxQueued: number
  readonly hasSendOnce: boolean
}

/** A transporter that was made from one of ours is not nested deeper. */
const DEEPEST = 4

/** The transport of ours that a transporter sends by; undefined for any other. */
export function findPort(transporter: unknown): BatchPort | undefined {
  let subject = transporter
  for (let depth = 0; depth < DEEPEST && isRecord(subject); depth++) {
    const { batchPort, transporter: inner } = subject
    if (isRecord(batchPort)) return batchPort as unknown as BatchPort
    subject = inner
  }
  return undefined
}

/** What the delivery of a mail has to know of its batch. */
export function partOf(record: MailRecord | undefined): BatchPart | undefined {
  return record?.batch && { batch: record.batch.batch, body: record.body }
}

/** Why a mail of a batch must not go out on its stream. */
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
