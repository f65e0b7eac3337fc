import { BOUNCE_TYPES, type BounceTypeName } from '@postmark-smtp/core'
import type { SandboxMail } from '../../mail/sandbox-mail.js'
import type { PostmarkServer } from '../../server/postmark-server.js'
import type { SandboxEvent } from '../../server/sandbox-event.js'
import { MESSAGE_ID, mailOf } from './control-mail.js'
import type { ControlParameter, ControlRequest, ControlRoute } from './control-route.js'

type Act = (
  mail: SandboxMail,
  recipient: string | undefined,
  request: ControlRequest,
) => SandboxEvent | Promise<SandboxEvent>

/** What recipients do with a mail. Each returns the webhook's body. */
export function mailActionRoutes(server: PostmarkServer): ControlRoute[] {
  const action = (
    name: string,
    summary: string,
    further: readonly ControlParameter[],
    act: Act,
  ): ControlRoute => ({
    method: 'POST',
    path: `/sandbox/mails/{MessageID}/${name}`,
    summary,
    parameters: [MESSAGE_ID, RECIPIENT, ...further],
    answer: 'the body of the webhook',
    async handle(request) {
      const event = await act(mailOf(server, request), request.text('Recipient'), request)
      return event.payload
    },
  })
  return [
    action('open', 'lets a recipient open the mail', [], (mail, recipient) => server.open(mail, recipient)),
    action('click', 'lets a recipient click a link', [LINK], (mail, recipient, request) =>
      server.click(mail, request.text('Link'), recipient),
    ),
    action('bounce', 'lets the mail bounce', [TYPE], (mail, recipient, request) => {
      const type = (request.text('Type') ?? 'HardBounce') as BounceTypeName
      const bounce = server.bounce(mail, type, recipient)
      return server.eventsOf(mail).find((event) => event.bounce?.id === bounce.id)!
    }),
    action('complain', 'lets a recipient mark the mail as spam', [], (mail, recipient) =>
      server.complain(mail, recipient),
    ),
    action('unsubscribe', 'lets a recipient unsubscribe', [], (mail, recipient) =>
      server.unsubscribe(mail, recipient),
    ),
  ]
}

const RECIPIENT: ControlParameter = {
  name: 'Recipient',
  in: 'body',
  type: 'text',
  summary: 'who does it; default the first recipient',
}
const LINK: ControlParameter = {
  name: 'Link',
  in: 'body',
  type: 'text',
  summary: 'default the first link of the mail',
}
const TYPE: ControlParameter = {
  name: 'Type',
  in: 'body',
  type: 'text',
  values: Object.keys(BOUNCE_TYPES),
  summary: 'type of the bounce; default `HardBounce`',
}
