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

/** What recipients do with an email. Each call returns the body of the webhook. */
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
    answer: 'The body of the webhook',
    async handle(request) {
      const event = await act(mailOf(server, request), request.text('Recipient'), request)
      return event.payload
    },
  })
  return [
    action('open', 'Simulate that a recipient opens the email', [], (mail, recipient) =>
      server.open(mail, recipient),
    ),
    action('click', 'Simulate that a recipient clicks a link', [LINK], (mail, recipient, request) =>
      server.click(mail, request.text('Link'), recipient),
    ),
    action('bounce', 'Simulate a bounce of the email', [TYPE], (mail, recipient, request) => {
      const type = (request.text('Type') ?? 'HardBounce') as BounceTypeName
      const bounce = server.bounce(mail, type, recipient)
      return server.eventsOf(mail).find((event) => event.bounce?.id === bounce.id)!
    }),
    action('complain', 'Simulate that a recipient marks the email as spam', [], (mail, recipient) =>
      server.complain(mail, recipient),
    ),
    action('unsubscribe', 'Simulate that a recipient unsubscribes', [], (mail, recipient) =>
      server.unsubscribe(mail, recipient),
    ),
  ]
}

const RECIPIENT: ControlParameter = {
  name: 'Recipient',
  in: 'body',
  type: 'text',
  summary: 'Who does it (default: the first recipient)',
}
const LINK: ControlParameter = {
  name: 'Link',
  in: 'body',
  type: 'text',
  summary: 'The link (default: the first one of the email)',
}
const TYPE: ControlParameter = {
  name: 'Type',
  in: 'body',
  type: 'text',
  values: Object.keys(BOUNCE_TYPES),
  summary: 'Type of the bounce (default: `HardBounce`)',
}
