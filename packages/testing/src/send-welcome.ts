import { createTransport } from 'nodemailer'

/** The part of a running sandbox that an email to it needs. */
interface Target<M> {
  readonly host: string
  readonly port: number
  readonly token: string
  readonly outbox: readonly M[]
}

const message = {
  from: 'Shop <shop@example.com>',
  to: 'Ann <ann@example.com>',
  subject: 'Welcome',
  text: 'Hello https://example.com/start',
}

/** Sends an email with plain Nodemailer and returns it as the sandbox received it. */
export async function sendWelcome<M>(
  { host, port, token, outbox }: Target<M>,
  headers: Record<string, string> = {},
  fields: object = {},
): Promise<M> {
  const transport = createTransport({ host, port, ignoreTLS: true, auth: { user: token, pass: token } })
  await transport.sendMail({ ...message, headers, ...fields })
  return outbox.at(-1)!
}
