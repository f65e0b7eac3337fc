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

/** The issue of the newsletter; its name is part of each key, so that next month's goes out again. */
const ISSUE = 'november'

/** What all subscribers get. Postmark puts the link of each in the place of the words in braces. */
const content = {
  from: 'The Shop <news@example.com>',
  subject: 'What is new in November',
  text: 'Hello,\n\nthe new teas have come.\n\nNo more news: {{{ pm:unsubscribe }}}\n',
  html: '<p>Hello,</p><p>the new teas have come.</p><p><a href="{{{ pm:unsubscribe }}}">No more news</a></p>',
  postmark: { tag: `newsletter-${ISSUE}` },
}

/** A mail that was not sent, and why. */
export interface Failure {
  readonly key: string | undefined
  readonly outcome: BatchResult['outcome']
  readonly reason: string
}

/** One message for each row of the file, which is read only as fast as mails leave. */
async function* readSubscribers(file: string): AsyncGenerator<BatchMessage> {
  // An error of the file ends the reading of the rows, and who stops reading closes the file.
  const rows = pipeline(createReadStream(file), parse({ columns: true }), () => {})
  for await (const { id, name, email } of rows as AsyncIterable<Record<'id' | 'name' | 'email', string>>)
    yield { to: { name, address: email }, key: id, postmark: { metadata: { 'user-id': id } } }
}

/** Sends the newsletter to those of the file who do not have it yet; returns whom it did not reach. */
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
    // Stopped, and not broken: whoever asked for it knows.
    if (!signal.aborted || error !== signal.reason) throw error
  }
  return failures
}
