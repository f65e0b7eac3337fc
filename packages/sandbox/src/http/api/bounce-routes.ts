import { BOUNCE_TYPES, type BounceTypeName } from '@postmark-smtp/core'
import { DEFAULT_STREAM } from '../../mail/stream.js'
import type { SandboxBounce } from '../../server/bounce.js'
import type { PostmarkServer } from '../../server/postmark-server.js'
import { bouncePart, mailPart, toPostmarkDate } from '../../server/webhook-payload.js'
import { SERVER_ID } from '../../server/webhook-samples.js'
import { API_CODES, apiError } from './api-error.js'
import { type ApiQuery, toPage } from './api-query.js'
import type { ApiRequest, ApiRoute } from './api-route.js'

const TYPES = Object.keys(BOUNCE_TYPES) as BounceTypeName[]
const DUMP_DAYS = 30

/** @see https://postmarkapp.com/developer/api/bounce-api */
export function bounceRoutes(server: PostmarkServer): ApiRoute[] {
  const find = ({ param }: ApiRequest): SandboxBounce => {
    const bounce = server.findBounce(Number(param('id')))
    if (bounce) return bounce
    throw apiError(API_CODES.noBounce, 'Bounce was not found.')
  }
  const dumpOf = (bounce: SandboxBounce) => (hasDump(bounce, server.now()) ? bounce.dump : '')
  const details = (bounce: SandboxBounce) => ({ ...toJson(bounce, server.now()), Content: dumpOf(bounce) })
  return [
    { method: 'GET', path: '/deliverystats', handle: () => statistics(server) },
    {
      method: 'GET',
      path: '/bounces',
      handle({ query }) {
        const filter = query.withCode(API_CODES.bounceQuery)
        const matches = toFilter(filter)
        const isFound = (bounce: SandboxBounce) => server.isSearchable(bounce.at) && matches(bounce)
        const { total, page } = toPage(server.bounces, isFound, filter.paging())
        return { TotalCount: total, Bounces: page.map((bounce) => toJson(bounce, server.now())) }
      },
    },
    { method: 'GET', path: '/bounces/:id', handle: (request) => details(find(request)) },
    { method: 'GET', path: '/bounces/:id/dump', handle: (request) => ({ Body: dumpOf(find(request)) }) },
    {
      method: 'PUT',
      path: '/bounces/:id/activate',
      handle(request) {
        const bounce = find(request)
        if (!bounce.canActivate) {
          throw apiError(
            API_CODES.cannotActivate,
            'Due to the type of bounce, this address cannot be reactivated.',
          )
        }
        return { Message: 'OK', Bounce: details(server.activate(bounce)) }
      },
    },
  ]
}

function toFilter(query: ApiQuery): (bounce: SandboxBounce) => boolean {
  const type = query.choice('type', TYPES)
  const inactive = query.flag('inactive')
  const email = query.get('emailfilter')?.toLowerCase()
  const [tag, messageId] = [query.get('tag'), query.get('messageid')?.toLowerCase()]
  const stream = query.get('messagestream') ?? DEFAULT_STREAM
  const inPeriod = query.period()
  return (bounce) =>
    bounce.stream === stream &&
    (type === undefined || bounce.type === type) &&
    (inactive === undefined || bounce.inactive === inactive) &&
    (email === undefined || bounce.recipient.toLowerCase().includes(email)) &&
    (tag === undefined || bounce.mail.postmark.tag === tag) &&
    (messageId === undefined || bounce.mail.messageId === messageId) &&
    inPeriod(bounce.at)
}

/** A bounce as a list shows it. Unlike the webhook, a list has no metadata. */
function toJson(bounce: SandboxBounce, now: Date) {
  const { Metadata: _, ...mail } = mailPart(bounce.mail)
  const part = { ...bouncePart(bounce), BouncedAt: toPostmarkDate(bounce.at) }
  return { RecordType: 'Bounce', ...mail, ServerID: SERVER_ID, ...part, DumpAvailable: hasDump(bounce, now) }
}

function hasDump({ at }: SandboxBounce, now: Date): boolean {
  return now.getTime() - at.getTime() < DUMP_DAYS * 86_400_000
}

function statistics({ bounces, suppressions }: PostmarkServer) {
  const counts = new Map<BounceTypeName, number>()
  for (const { type } of bounces) counts.set(type, (counts.get(type) ?? 0) + 1)
  const types = [...counts].map(([Type, Count]) => ({ Type, Name: BOUNCE_TYPES[Type].name, Count }))
  return { InactiveMails: suppressions.length, Bounces: [{ Name: 'All', Count: bounces.length }, ...types] }
}
