import { listLinks } from '../../mail/mail-links.js'
import type { SandboxMail } from '../../mail/sandbox-mail.js'
import type { Verdict } from '../../mail/verdict.js'
import type { PostmarkServer } from '../../server/postmark-server.js'
import { API_CODES, apiError } from '../api/api-error.js'
import { toMessageDetails, toMessageJson } from '../api/message-json.js'
import type { ControlParameter, ControlRequest } from './control-route.js'

/** The part of a path that names an email. */
export const MESSAGE_ID: ControlParameter = {
  name: 'MessageID',
  in: 'path',
  type: 'text',
  required: true,
  summary: 'MessageID of the email, as in the list',
}

/** The email that the path names. */
export function mailOf(server: PostmarkServer, request: ControlRequest): SandboxMail {
  const mail = server.findMail(request.required('MessageID').toLowerCase())
  if (mail) return mail
  throw apiError(API_CODES.noMessage, "This message doesn't exist.", 404)
}

/** An email as Postmark's search shows it, and what Postmark would have done with it. */
export function toListedMail(
  mail: SandboxMail,
  { settings }: PostmarkServer,
): Readonly<Record<string, unknown>> {
  return { ...toMessageJson(mail, settings), ...outcomeOf(mail.verdict) }
}

/** The same with text, html, links and events. */
export async function toWholeMail(
  mail: SandboxMail,
  server: PostmarkServer,
): Promise<Readonly<Record<string, unknown>>> {
  const details = await toMessageDetails(mail, server.settings, server.eventsOf(mail))
  const links = listLinks(await mail.parse()).map(({ url }) => url)
  return { ...details, ...outcomeOf(mail.verdict), Links: [...new Set(links)] }
}

function outcomeOf({ outcome, problems, notes }: Verdict) {
  return {
    Status: outcome === 'sent' ? 'Sent' : 'Refused',
    Verdict: {
      Outcome: outcome,
      Problems: problems.map(({ errorCode, message, path, cure }) => ({
        ErrorCode: errorCode,
        Message: message,
        Path: path,
        Cure: cure,
      })),
      Notes: notes,
    },
  }
}
