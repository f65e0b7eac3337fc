import { PostmarkError } from '@postmark-smtp/core/pure'
import type { BounceClient, BounceFilter, BouncePage } from './bounce-client.js'
import { compareIds, type ListedBounce, listBounces } from './list-bounces.js'
import { parseBounce } from './parse-webhook.js'
import { readErrorCode } from './read-bounce.js'
import {
  type Position,
  type ReconcileCursor,
  type ReconcileOptions,
  type ReconcileSettings,
  toCursor,
  toReconcileSettings,
} from './reconcile-settings.js'
import { repeat } from './repeat.js'
import type { WebhookEvent } from './webhook-event.js'

/** A run over the bounces. Each loop over it continues where the last one ended. */
export interface Reconciliation {
  /** Covers all events returned so far, including the last one: store it after you have handled that one. */
  readonly cursor: ReconcileCursor
  [Symbol.asyncIterator](): AsyncGenerator<WebhookEvent, void>
}

/** How many dumps are read in parallel. */
const DUMPS_AT_ONCE = 5

/**
 * Reads Postmark's list of bounces, to find out what became of emails that SMTP answered with 250. It returns the same
 * events as the Bounce webhook, each once, the oldest first across all streams.
 * @param client the `ServerClient` of the official `postmark` package, or any object with `getBounces` and `getBounceDump`
 * @example
 * const run = reconcile(new ServerClient(token), { streams: ['outbound'], cursor: await load() })
 * for await (const event of run) {
 *   await handle(event)
 *   await save(run.cursor)
 * }
 * @throws PostmarkError ERR_POSTMARK_OPTIONS immediately, ERR_POSTMARK_BOUNCES in the loop
 * @see https://postmarkapp.com/developer/api/bounce-api#bounces
 */
export function reconcile(client: BounceClient, options: ReconcileOptions): Reconciliation {
  const settings = toReconcileSettings(client, options)
  return {
    get cursor() {
      return toCursor(settings.positions)
    },
    [Symbol.asyncIterator]: () => readBounces(client, settings),
  }
}

interface ReadBounce extends Position {
  readonly event: WebhookEvent
}

/** Returns the events of all streams, ordered by time. */
export async function* readBounces(
  client: BounceClient,
  settings: ReconcileSettings,
): AsyncGenerator<WebhookEvent, void> {
  const until = settings.until?.getTime() ?? Date.now() - settings.settleMs
  const sources = settings.streams.map((stream) => ({
    stream,
    rest: readStream(client, settings, stream, until),
  }))
  const heads: { stream: string; rest: AsyncGenerator<ReadBounce, void>; head: ReadBounce }[] = []
  for (const source of sources) {
    const { value: head } = await source.rest.next()
    if (head) heads.push({ ...source, head })
  }
  while (heads.length > 0) {
    const oldest = heads.reduce((a, b) => (b.head.time < a.head.time ? b : a))
    const { time, id, event } = oldest.head
    settings.repeat.signal?.throwIfAborted()
    settings.positions.set(oldest.stream, { time, id })
    yield event
    const { value: next } = await oldest.rest.next()
    if (next) oldest.head = next
    else heads.splice(heads.indexOf(oldest), 1)
  }
}

async function* readStream(
  client: BounceClient,
  settings: ReconcileSettings,
  messageStream: string,
  until: number,
): AsyncGenerator<ReadBounce, void> {
  const { type, pageSize, positions } = settings
  const position = positions.get(messageStream)
  const from = position?.time
  if (from !== undefined && from >= until) return
  const readPage = (filter: BounceFilter) => callBounces(client, filter, settings)
  const query = { ...(type === undefined ? {} : { type }), messageStream }
  let batch: ListedBounce[] = []
  const readBatch = () => Promise.all(batch.map((bounce) => readBounce(client, bounce, settings)))
  for await (const bounce of listBounces(readPage, query, pageSize, { from, until })) {
    if (position && bounce.time === position.time && compareIds(bounce.id, position.id) <= 0) continue
    batch.push(bounce)
    if (batch.length < DUMPS_AT_ONCE) continue
    yield* await readBatch()
    batch = []
  }
  yield* await readBatch()
}

async function callBounces(
  client: BounceClient,
  filter: BounceFilter,
  settings: ReconcileSettings,
): Promise<BouncePage> {
  try {
    return await repeat(async () => {
      const page: Partial<BouncePage> | null = await client.getBounces({ ...filter })
      if (Array.isArray(page?.Bounces) && typeof page.TotalCount === 'number') return page as BouncePage
      throw new Error('the answer contains no bounces')
    }, settings.repeat)
  } catch (error) {
    settings.repeat.signal?.throwIfAborted()
    const { message, statusCode } = error as { message?: string; statusCode?: number }
    throw new PostmarkError(
      'ERR_POSTMARK_BOUNCES',
      `The bounces of the stream ${JSON.stringify(filter.messageStream)} cannot be listed: ${message}`,
      { cause: error, ...(statusCode === 401 ? { hint: 'Use the Server API token of that server.' } : {}) },
    )
  }
}

/** The event of a bounce. The list describes an SMTP API error only briefly; the code is in the dump, kept for 30 days. */
async function readBounce(
  client: BounceClient,
  { id, exact, time, raw }: ListedBounce,
  { parse, forMetadata, repeat: settings }: ReconcileSettings,
): Promise<ReadBounce> {
  const event = parseBounce(raw, parse)
  // Even if the code can be derived from words, the dump is read: it names the code and holds the metadata.
  const hasDump = exact && raw.DumpAvailable !== false
  const isTold = event.kind !== 'rejected' || (readErrorCode(event) !== undefined && !forMetadata)
  if (isTold || !hasDump) return { id, time, event }
  try {
    const { Body } = await repeat(() => client.getBounceDump(id), { ...settings, attempts: 2 })
    return { id, time, event: Body ? parseBounce({ ...raw, Content: Body }, parse) : event }
  } catch {
    // If the dump cannot be read, the event is returned without a code.
    settings.signal?.throwIfAborted()
    return { id, time, event }
  }
}
