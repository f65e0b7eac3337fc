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
  let shown = SHOWN_ONLY
  const toAnswer = () => toJson(server.settings, shown, token)
  return [
    { method: 'GET', path: '/server', handle: toAnswer },
    {
      method: 'PUT',
      path: '/server',
      async handle(request) {
        const body = await request.body()
        const changes = readShown(body)
        server.change(readChanges(body))
        shown = { ...shown, ...changes }
        return toAnswer()
      },
    },
  ]
}

/** What the API shows and changes without any effect on the sandbox. */
const SHOWN_ONLY: Readonly<Record<string, string | number | boolean>> = {
  Color: 'grey',
  RawEmailEnabled: false,
  PostFirstOpenOnly: false,
  InboundDomain: '',
  InboundSpamThreshold: 0,
  IncludeBounceContentInHook: false,
}

function toJson(settings: ServerSettings, shown: typeof SHOWN_ONLY, token: string) {
  return {
    ID: SERVER_ID,
    Name: settings.name,
    ApiTokens: [token],
    ServerLink: '',
    SmtpApiActivated: settings.smtpApiActivated,
    DeliveryType: 'Live',
    InboundAddress: '',
    ...Object.fromEntries(OLD_HOOKS.map((name) => [name, ''])),
    InboundHash: '',
    ...shown,
    TrackOpens: settings.trackOpens,
    TrackLinks: settings.trackLinks,
    EnableSmtpApiErrorHooks: settings.enableSmtpApiErrorHooks,
  }
}

function readShown(body: JsonObject): typeof SHOWN_ONLY {
  const entries = Object.entries(SHOWN_ONLY).flatMap(([name, usual]) => {
    const value = body[name]
    if (value === undefined || value === null) return []
    if (typeof value === typeof usual) return [[name, value as typeof usual]]
    throw apiError(API_CODES.incompatibleJson, `'${name}' must be a ${typeof usual}.`)
  })
  return Object.fromEntries(entries)
}

/** The settings of a request that have an effect on the sandbox. */
function readChanges(body: JsonObject): Partial<ServerSettings> {
  if (OLD_HOOKS.some((name) => body[name])) {
    const message = 'The sandbox has no webhooks per server. Create them with POST /webhooks, one per stream.'
    throw apiError(API_CODES.invalidHookUrl, message)
  }
  // Some clients send null for what they do not change.
  const [name, wantedLinks] = [body.Name ?? undefined, body.TrackLinks ?? undefined]
  if (name !== undefined && (typeof name !== 'string' || name === '')) {
    throw apiError(API_CODES.serverName, 'The server name is missing or invalid.')
  }
  const trackLinks = LINKS.find((value) => value === wantedLinks)
  if (wantedLinks !== undefined && trackLinks === undefined) {
    throw apiError(API_CODES.incompatibleJson, `'TrackLinks' must be one of: ${LINKS.join(', ')}.`)
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
  const value = body[name] ?? undefined
  if (value === undefined || typeof value === 'boolean') return value
  throw apiError(API_CODES.incompatibleJson, `'${name}' must be true or false.`)
}
