import type { Arrival } from '../mail/arrival.js'
import type { MailEnvelope } from '../mail/sandbox-mail.js'
import type { PostmarkServer } from '../server/postmark-server.js'

/** The reply to a body. */
export interface BodyReply {
  readonly code: 250 | 452
  readonly text: string
}

/** Hands an email to the server, and returns the reply for the client. */
export function takeMail(
  server: PostmarkServer,
  raw: Buffer,
  envelope: MailEnvelope,
  arrival: Arrival,
): BodyReply {
  try {
    return { code: 250, text: `2.0.0 Ok: queued as ${server.receive(raw, envelope, arrival).id}` }
  } catch (error) {
    const why = (error as Error).message
    server.reportDataProblem(
      `An email got 452, because it could not be written to the data directory: ${why}.`,
    )
    return { code: 452, text: '4.3.1 Error: the email cannot be written to the data directory' }
  }
}
