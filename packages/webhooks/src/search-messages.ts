import { PostmarkError } from '@postmark-smtp/core/pure'
import { toEasternFloor } from './eastern-time.js'
import type { MailClient, MailFilter, MailPage } from './mail-client.js'
import { findMetadata, isObject, type Raw, readMetadata } from './read-value.js'
import { type RepeatSettings, repeat } from './repeat.js'

/** Which emails are searched for. */
export interface MessageQuery {
  /** The metadata that an email must have, all fields of it. */
  readonly metadata: Readonly<Record<string, string>>
  readonly stream: string
  /** In milliseconds since 1970. */
  readonly from: number
}

/** The result of a search. */
export interface FoundMessages {
  readonly messages: readonly Raw[]
  /** Whether Postmark listed all that it has: it lists at most 10,000 emails per query. */
  readonly complete: boolean
}

const MOST_PER_PAGE = 500
/** `count` and `offset` together may not go beyond. */
const REACH = 10_000

/** Searches sent emails, page by page. @throws PostmarkError ERR_POSTMARK_BOUNCES, or the reason of the signal */
export async function searchMessages(
  client: MailClient,
  { metadata, stream, from }: MessageQuery,
  settings: RepeatSettings,
): Promise<FoundMessages> {
  // A search can have only one metadata field; the others are compared here.
  const [[key, value] = ['', '']] = Object.entries(metadata)
  const filter: MailFilter = {
    messageStream: stream,
    fromDate: toEasternFloor(from),
    [`metadata_${key}` as const]: value,
  }
  const messages: Raw[] = []
  for (let offset = 0; ; ) {
    const page = await readPage(client, { ...filter, count: MOST_PER_PAGE, offset }, settings)
    messages.push(...page.Messages.filter(isObject).filter((message) => hasMetadata(message, metadata)))
    offset += page.Messages.length
    const isLast = page.Messages.length === 0 || offset >= Number(page.TotalCount)
    if (isLast || offset > REACH - MOST_PER_PAGE) return { messages, complete: isLast && offset < REACH }
  }
}

/**
 * Whether an email has all of the metadata. Metadata that the list does not show cannot be compared. An email without the
 * field `Metadata` therefore counts as found: the search asked for it, and to miss it would send it twice.
 */
function hasMetadata({ Metadata }: Raw, wanted: Readonly<Record<string, string>>): boolean {
  if (Metadata === undefined) return true
  return includesMetadata(readMetadata(Metadata), wanted)
}

/** Whether metadata has all of the wanted fields. The case of a key is ignored, because Postmark may not keep it. */
export function includesMetadata(
  metadata: Readonly<Record<string, string>>,
  wanted: Readonly<Record<string, string>>,
): boolean {
  return Object.entries(wanted).every(([key, value]) => findMetadata(metadata, key) === value)
}

async function readPage(client: MailClient, filter: MailFilter, settings: RepeatSettings): Promise<MailPage> {
  try {
    return await repeat(async () => {
      const page: Partial<MailPage> | null = await client.getOutboundMessages({ ...filter })
      const total = page?.TotalCount
      if (Array.isArray(page?.Messages) && total !== undefined && Number.isInteger(Number(total)))
        return page as MailPage
      throw new Error('the answer contains no messages')
    }, settings)
  } catch (error) {
    settings.signal?.throwIfAborted()
    const { message, statusCode } = error as { message?: string; statusCode?: number }
    throw new PostmarkError(
      'ERR_POSTMARK_BOUNCES',
      `The sent emails of the stream ${JSON.stringify(filter.messageStream)} cannot be searched: ${message}`,
      { cause: error, ...(statusCode === 401 ? { hint: 'Use the Server API token of that server.' } : {}) },
    )
  }
}
