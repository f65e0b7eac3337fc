import type { SandboxMail } from '../../mail/sandbox-mail.js'
import type { PostmarkServer } from '../../server/postmark-server.js'
import type { SandboxEvent } from '../../server/sandbox-event.js'
import { API_CODES, apiError } from './api-error.js'
import { toPage } from './api-query.js'
import type { ApiRequest, ApiRoute } from './api-route.js'
import { toEventFilter, toMailFilter } from './message-filter.js'
import { toMessageDetails, toMessageJson } from './message-json.js'

/** @see https://postmarkapp.com/developer/api/messages-api */
export function messageRoutes(server: PostmarkServer): ApiRoute[] {
  const find = (request: ApiRequest) => findMail(server, request)
  return [
    ...eventRoutes(server, 'Open', 'Opens'),
    ...eventRoutes(server, 'Click', 'Clicks'),
    {
      method: 'GET',
      path: '/messages/outbound',
      handle({ query }) {
        const filter = query.withCode(API_CODES.messageQuery)
        const matches = toMailFilter(filter)
        const isFound = (mail: SandboxMail) => server.isSearchable(mail.receivedAt) && matches(mail)
        const { total, page } = toPage(server.mails, isFound, filter.paging())
        return { TotalCount: total, Messages: page.map((mail) => toMessageJson(mail, server.settings)) }
      },
    },
    {
      method: 'GET',
      path: '/messages/outbound/:id/details',
      handle(request) {
        const mail = find(request)
        return toMessageDetails(mail, server.settings, server.eventsOf(mail))
      },
    },
    {
      method: 'GET',
      path: '/messages/outbound/:id/dump',
      handle: (request) => ({ Body: find(request).raw.toString() }),
    },
  ]
}

/** The email that the path names by its MessageID. */
function findMail(server: PostmarkServer, { param }: ApiRequest): SandboxMail {
  const mail = server.findMail(param('id'))
  if (mail) return mail
  throw apiError(API_CODES.noMessage, "This message doesn't exist.")
}

function eventRoutes(
  server: PostmarkServer,
  recordType: 'Open' | 'Click',
  key: 'Opens' | 'Clicks',
): ApiRoute[] {
  const path = `/messages/outbound/${key.toLowerCase()}`
  const list = (
    mails: readonly SandboxMail[],
    matches: (event: SandboxEvent) => boolean,
    request: ApiRequest,
  ) => {
    const events = mails
      .flatMap((mail) => server.eventsOf(mail))
      .filter((event) => event.recordType === recordType)
    const { total, page } = toPage(events, matches, request.query.withCode(API_CODES.messageQuery).paging())
    return { TotalCount: total, [key]: page.map(toListItem) }
  }
  return [
    { method: 'GET', path, handle: (request) => list(server.mails, toEventFilter(request.query), request) },
    {
      method: 'GET',
      path: `${path}/:id`,
      handle: (request) => list([findMail(server, request)], () => true, request),
    },
  ]
}

/** An open or click as a list shows it. Unlike the webhook, a list has no metadata. */
function toListItem({ payload }: SandboxEvent) {
  const { Metadata: _, ...item } = payload
  return item
}
