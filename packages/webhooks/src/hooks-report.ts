import { PostmarkError } from '@postmark-smtp/core'
import type { Raw } from './read-value.js'

/** What reads `GET /server`: the `ServerClient` of the official `postmark` package is one. */
export interface ServerReader {
  getServer(): Promise<object>
}

/** What a server is set to tell; undefined where Postmark does not say. It holds no token and no URL. */
export interface HooksReport {
  /** Whether the server takes mail by SMTP. */
  readonly smtpActivated: boolean | undefined
  /** Whether SMTP API errors come as webhooks; where they do not, `reconcile` finds them. */
  readonly smtpApiErrorHooks: boolean | undefined
  /** Whether webhooks of bounces carry the source of the bounce. */
  readonly bounceContent: boolean | undefined
  /** @example 'Live', 'Sandbox' */
  readonly deliveryType: string | undefined
  /** What to do about it, a sentence each; empty where all is well. */
  readonly advice: readonly string[]
}

/**
 * Tells whether the server of a client reports refused mails, for a look at start-up.
 * @example const { advice } = await hooksReport(client); for (const line of advice) logger.warn(line)
 * @throws PostmarkError ERR_POSTMARK_BOUNCES where the server cannot be read
 * @see https://postmarkapp.com/developer/api/server-api
 */
export async function hooksReport(client: ServerReader): Promise<HooksReport> {
  let server: Raw
  try {
    server = ((await client.getServer()) ?? {}) as Raw
  } catch (cause) {
    const { message } = cause as { message?: string }
    throw new PostmarkError('ERR_POSTMARK_BOUNCES', `The server cannot be read: ${message}`, { cause })
  }
  const smtpActivated = readSwitch(server.SmtpApiActivated)
  const smtpApiErrorHooks = readSwitch(server.EnableSmtpApiErrorHooks)
  const { DeliveryType } = server
  const deliveryType = typeof DeliveryType === 'string' ? DeliveryType : undefined
  const advice = [
    ...(smtpActivated === false ? ['SMTP is off: switch it on in the settings of the server.'] : []),
    ...(smtpApiErrorHooks === false
      ? [
          'Refused mails do not come as webhooks: set EnableSmtpApiErrorHooks with the account token, or run reconcile().',
        ]
      : []),
    ...(deliveryType === 'Sandbox' ? ['The server is in sandbox mode: no mail is delivered.'] : []),
  ]
  const bounceContent = readSwitch(server.IncludeBounceContentInHook)
  return { smtpActivated, smtpApiErrorHooks, bounceContent, deliveryType, advice }
}

function readSwitch(value: unknown): boolean | undefined {
  return typeof value === 'boolean' ? value : undefined
}
