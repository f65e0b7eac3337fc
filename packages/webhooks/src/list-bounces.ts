import { createHash } from 'node:crypto'
import { PostmarkError } from '@postmark-smtp/core/pure'
import type { BounceFilter, BouncePage } from './bounce-client.js'
import { type BounceId, readBounceId } from './bounce-id.js'
import { toEasternCeil, toEasternFloor } from './eastern-time.js'
import { type Raw, readTime } from './read-value.js'

/** A bounce from the list, with its position in the order. */
export interface ListedBounce {
  readonly id: BounceId
  /** Whether this is Postmark's ID. If not, the ID only distinguishes bounces. */
  readonly exact: boolean
  /** In milliseconds since 1970. */
  readonly time: number
  readonly raw: Raw
}

/** Reads one page. */
export type ReadPage = (filter: BounceFilter) => Promise<BouncePage>

/** A span of time in milliseconds since 1970: `from` is included, `until` is not. */
interface Span {
  readonly from: number | undefined
  readonly until: number
}

/** `count` and `offset` together may not go beyond. */
const REACH = 10_000

/** How often a list is read if it changes meanwhile. */
const PASSES = 3

/**
 * Lists each bounce of a span once, the oldest first. Postmark lists the newest first and at most 10,000, so a span with
 * more is split as often as necessary, and read from its old end.
 * @param query further fields of each request
 * @throws PostmarkError ERR_POSTMARK_BOUNCES if one second has 10,000 or more
 */
export async function* listBounces(
  readPage: ReadPage,
  query: Pick<BounceFilter, 'type' | 'messageStream'>,
  pageSize: number,
  whole: Span,
): AsyncGenerator<ListedBounce, void> {
  const spans = [whole]
  for (let span = spans.pop(); span; span = spans.pop()) {
    // Whole seconds, rounded outwards: it is not documented how a fraction compares. Surplus bounces are dropped here.
    const request = {
      ...query,
      ...(span.from === undefined ? {} : { fromDate: toEasternFloor(span.from) }),
      toDate: toEasternCeil(span.until),
    }
    const first = await readPage({ ...request, count: pageSize, offset: 0 })
    const edge = isBeyondReach(first) ? await findEdge(readPage, request, pageSize) : undefined
    if (edge !== undefined && edge >= (span.from ?? Number.NEGATIVE_INFINITY)) {
      const cut = Math.floor(edge / 1000) * 1000 + 1000
      if (cut >= span.until) throw tooMany(query.messageStream, span.until)
      spans.push({ ...span, from: cut }, { ...span, until: cut })
      continue
    }
    const bounces = await readSpan(readPage, request, pageSize, span, first)
    if (bounces) yield* bounces
    else spans.push(span)
  }
}

/** Whether there may be more; it is not documented whether the count goes beyond 10,000. */
function isBeyondReach({ TotalCount }: BouncePage): boolean {
  return TotalCount >= REACH
}

/** The time of the oldest bounce that can be reached. */
async function findEdge(readPage: ReadPage, request: object, pageSize: number): Promise<number | undefined> {
  const { Bounces } = await readPage({ ...request, count: pageSize, offset: REACH - pageSize })
  const times = Bounces.flatMap(toListed).map(({ time }) => time)
  return times.length === 0 ? undefined : Math.min(...times)
}

/** The bounces of a span, in order; undefined if there are now too many to reach. */
async function readSpan(
  readPage: ReadPage,
  request: object,
  pageSize: number,
  { from = Number.NEGATIVE_INFINITY, until }: Span,
  first: BouncePage,
): Promise<ListedBounce[] | undefined> {
  const found = new Map<BounceId, ListedBounce>()
  let page = first
  for (let pass = 1; pass <= PASSES; pass++) {
    let shrinks = false
    let offset = 0
    if (pass > 1) page = await readPage({ ...request, count: pageSize, offset })
    for (;;) {
      // A new bounce shifts the older ones to the next page, where they are seen once more.
      for (const bounce of page.Bounces.flatMap(toListed)) found.set(bounce.id, bounce)
      offset += page.Bounces.length
      const count = Math.min(pageSize, REACH - offset)
      if (page.Bounces.length === 0 || offset >= page.TotalCount || count < 1) break
      const next = await readPage({ ...request, count, offset })
      // One that is removed shifts others to a page that was read already.
      if (next.TotalCount < page.TotalCount) shrinks = true
      page = next
    }
    if (isBeyondReach(page) && !isBeyondReach(first)) return undefined
    if (!shrinks) break
  }
  return [...found.values()]
    .filter(({ time }) => time >= from && time < until)
    .sort((a, b) => a.time - b.time || compareIds(a.id, b.id))
}

/** Orders the IDs of one moment: numbers by size, of any length, and those of {@link nameBounce} after them. */
export function compareIds(a: BounceId, b: BounceId): number {
  const [left, right] = [String(a), String(b)]
  return left.length - right.length || (left < right ? -1 : left > right ? 1 : 0)
}

/** Postmark dates every bounce; without a date, an item has no position in the order. */
function toListed(bounce: object): ListedBounce[] {
  const raw = bounce as Raw
  const time = readTime(raw.BouncedAt)?.getTime()
  if (time === undefined) return []
  const id = readBounceId(raw.ID)
  return [{ id: id ?? nameBounce(raw), exact: id !== undefined, time, raw }]
}

/** A name for a bounce whose ID was rounded, so two may share it. It is a digest, because the cursor contains it. */
function nameBounce({ ID, MessageID, Email, Type, BouncedAt }: Raw): string {
  const parts = JSON.stringify([String(ID), MessageID, Email, Type, BouncedAt])
  return `~${createHash('sha256').update(parts).digest('base64url')}`
}

function tooMany(stream: string | undefined, until: number): PostmarkError {
  return new PostmarkError(
    'ERR_POSTMARK_BOUNCES',
    `The stream ${JSON.stringify(stream)} has ${REACH} or more bounces in the second before ${new Date(until).toISOString()}. Postmark does not list more, and they cannot be split by date.`,
    { hint: 'Begin after that second: pass a later `since` and no cursor.' },
  )
}
