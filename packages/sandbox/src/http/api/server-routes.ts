import type { PostmarkServer } from '../../server/postmark-server.js'
import type { ServerSettings } from '../../server/server-settings.js'
import { SERVER_ID } from '../../server/webhook-samples.js'
import { API_CODES, apiError } from './api-error.js'
import type { ApiRoute, JsonObject } from './api-route.js'

const LINKS = ['None', 'HtmlAndText', 'HtmlOnly', 'TextOnly'] as const
const OLD_HOOKS = [
  'BounceHookUrl',
  'OpenHookUrl',
  'DeliveryHookUrl',
  'ClickHookUrl',
  'InboundHookUrl',
] as const

/** @see https://postmarkapp.com/developer/api/server-api */
export function serverRoutes(server: PostmarkServer, token: string): ApiRoute[] {
  return [
    { method: 'GET', path: '/server', handle: () => toJson(server.settings, token) },
    {
      method: 'PUT',
      path: '/server',
      async handle(request) {
        server.change(readChanges(await request.body()))
        return toJson(server.settings, token)
      },
    },
  ]
}

function toJson(settings: ServerSettings, token: string) {
  return {
    ID: SERVER_ID,
    Name: settings.name,
    ApiTokens: [token],
    ServerLink: '',
    Color: 'grey',
    SmtpApiActivated: settings.smtpApiActivated,
    RawEmailEnabled: false,
    DeliveryType: 'Live',
    InboundAddress: '',
    ...Object.fromEntries(OLD_HOOKS.map((name) => [name, ''])),
    PostFirstOpenOnly: false,
    InboundDomain: '',
    InboundHash: '',
    InboundSpamThreshold: 0,
    TrackOpens: settings.trackOpens,
    TrackLinks: settings.trackLinks,
    IncludeBounceContentInHook: false,
    EnableSmtpApiErrorHooks: settings.enableSmtpApiErrorHooks,
  }
}

/** The settings of a request; those that the sandbox has no use for are passed over. */
function readChanges(body: JsonObject): Partial<ServerSettings> {
  if (OLD_HOOKS.some((name) => body[name])) {
    const message = 'The sandbox has no webhooks by server: make them with POST /webhooks, one per stream.'
    throw apiError(API_CODES.invalidHookUrl, message)
  }
  const { Name: name, TrackLinks } = body
  if (name !== undefined && (typeof name !== 'string' || name === '')) {
    throw apiError(API_CODES.serverName, 'The server name is missing or invalid.')
  }
  const trackLinks = LINKS.find((value) => value === TrackLinks)
  if (TrackLinks !== undefined && trackLinks === undefined) {
    throw apiError(API_CODES.incompatibleJson, `'TrackLinks' is none of: ${LINKS.join(', ')}.`)
  }
  const smtpApiActivated = readFlag(body, 'SmtpApiActivated')
  const enableSmtpApiErrorHooks = readFlag(body, 'EnableSmtpApiErrorHooks')
  const trackOpens = readFlag(body, 'TrackOpens')
  return {
    ...(name !== undefined && { name }),
    ...(smtpApiActivated !== undefined && { smtpApiActivated }),
    ...(enableSmtpApiErrorHooks !== undefined && { enableSmtpApiErrorHooks }),
    ...(trackOpens !== undefined && { trackOpens }),
    ...(trackLinks !== undefined && { trackLinks }),
  }
}

function readFlag(body: JsonObject, name: string): boolean | undefined {
  const value = body[name]
  if (value === undefined || typeof value === 'boolean') return value
  throw apiError(API_CODES.incompatibleJson, `'${name}' must be true or false.`)
}
