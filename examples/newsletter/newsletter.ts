import { createReadStream } from 'node:fs'
import { pipeline } from 'node:stream'
import {
  type BatchMessage,
  type BatchProgress,
  type BatchResult,
  type PostmarkTransporter,
  sendBatch,
} from '@postmark-smtp/core'
import { parse } from 'csv-parse'

/** The issue of the newsletter. It is part of each key, so next month's issue goes out again. */
const ISSUE = 'november'

/** What all subscribers get. Postmark replaces the placeholder in braces with each subscriber's own link. */
const content = {
  from: 'The Shop <news@example.com>',
  subject: 'What is new in November',
  text: 'Hello,\n\nour new teas have arrived.\n\nUnsubscribe: {{{ pm:unsubscribe }}}\n',
  html: '<p>Hello,</p><p>our new teas have arrived.</p><p><a href="{{{ pm:unsubscribe }}}">Unsubscribe</a></p>',
  postmark: { tag: `newsletter-${ISSUE}` },
}

/** An email that was not sent, and why. */
export interface Failure {
  readonly key: string | undefined
  readonly outcome: BatchResult['outcome']
  readonly reason: string
}

/** Yields one message for each row of the file, which is read only as fast as emails are sent. */
async function* readSubscribers(file: string): AsyncGenerator<BatchMessage> {
  // An error in the file ends the loop below, and leaving the loop closes the file.
  const rows = pipeline(createReadStream(file), parse({ columns: true }), () => {})
  for await (const { id, name, email } of rows as AsyncIterable<Record<'id' | 'name' | 'email', string>>)
    yield { to: { name, address: email }, key: id, postmark: { metadata: { 'user-id': id } } }
}

/** Sends the newsletter to the subscribers in the file who have not got it yet. Returns those it did not reach. */
export async function sendNewsletter(
  transporter: PostmarkTransporter,
  file: string,
  { signal, onProgress }: { signal: AbortSignal; onProgress(progress: BatchProgress): void },
): Promise<Failure[]> {
  const failures: Failure[] = []
  const batch = sendBatch(transporter, readSubscribers(file), {
    message: content,
    sendOnce: ({ key }) => `${ISSUE}:${key}`,
    signal,
    onProgress,
  })
  try {
    for await (const result of batch) {
      const { key, outcome } = result
      if (outcome === 'suppressed') failures.push({ key, outcome, reason: 'has unsubscribed' })
      else if ('error' in result) failures.push({ key, outcome, reason: result.error.message })
    }
  } catch (error) {
    // Not a failure: the caller has stopped the run.
    if (!signal.aborted || error !== signal.reason) throw error
  }
  return failures
}
