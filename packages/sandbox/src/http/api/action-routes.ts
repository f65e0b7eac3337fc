import { BOUNCE_TYPES, type BounceTypeName } from '@postmark-smtp/core'
import type { SandboxMail } from '../../mail/sandbox-mail.js'
import type { PostmarkServer } from '../../server/postmark-server.js'
import type { SandboxEvent } from '../../server/sandbox-event.js'
import { API_CODES, apiError } from './api-error.js'
import type { ApiRoute, JsonObject } from './api-route.js'
import { findMail } from './message-routes.js'

/**
 * What recipients do, for tests in another process. Postmark's API has no such calls: these are the sandbox's own.
 * Each takes `{ Recipient? }`, a click `{ Link? }` too, a bounce `{ Type? }`; each returns the webhook's body.
 */
export function actionRoutes(server: PostmarkServer): ApiRoute[] {
  const action = (
    name: string,
    act: (
      mail: SandboxMail,
      recipient: string | undefined,
      body: JsonObject,
    ) => SandboxEvent | Promise<SandboxEvent>,
  ): ApiRoute => ({
    method: 'POST',
    path: `/sandbox/mails/:id/${name}`,
    async handle(request) {
      const mail = findMail(server, request)
      const body = await request.body()
      const event = await act(mail, readText(body, 'Recipient'), body)
      return event.payload
    },
  })
  return [
    action('open', (mail, recipient) => server.open(mail, recipient)),
    action('click', (mail, recipient, body) => server.click(mail, readText(body, 'Link'), recipient)),
    action('complain', (mail, recipient) => server.complain(mail, recipient)),
    action('unsubscribe', (mail, recipient) => server.unsubscribe(mail, recipient)),
    action('bounce', (mail, recipient, body) => {
      const bounce = server.bounce(mail, readType(body), recipient)
      return server.eventsOf(mail).find((event) => event.bounce?.id === bounce.id)!
    }),
  ]
}

function readText(body: JsonObject, name: string): string | undefined {
  const value = body[name]
  if (value === undefined || value === null) return undefined
  if (typeof value === 'string') return value
  throw apiError(API_CODES.incompatibleJson, `'${name}' must be a text.`)
}

function readType(body: JsonObject): BounceTypeName {
  const type = readText(body, 'Type') ?? 'HardBounce'
  if (Object.hasOwn(BOUNCE_TYPES, type)) return type as BounceTypeName
  throw apiError(API_CODES.incompatibleJson, `'Type' is none of: ${Object.keys(BOUNCE_TYPES).join(', ')}.`)
}
