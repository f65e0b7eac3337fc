import { optionError, refuseUnknown } from '@postmark-smtp/core/internal'
import { PostmarkError } from '@postmark-smtp/core/pure'
import { type Raw, readText } from './read-value.js'
import { readWebhooks, type WebhookReader, type WebhookReport } from './webhook-report.js'

/** A client for `GET /server` and, if it can, the webhooks, such as the `ServerClient` of the official `postmark` package. */
export interface ServerReader extends WebhookReader {
  getServer(): Promise<object>
}

/** Options of {@link hooksReport}. An unknown option throws. */
export interface HooksReportOptions {
  /**
   * Whether Postmark posts dummy data to each webhook, which handlers see as events with `test: true`. A paused event
   * type resumes if all of it is answered with 200. Default false.
   */
  readonly verify?: boolean | undefined
}

/** What a server is set to report. A field is undefined if Postmark does not say. It contains no token and no URL. */
export interface HooksReport {
  /** Whether the server accepts mail over SMTP. */
  readonly smtpActivated: boolean | undefined
  /** Whether Postmark sends webhooks for SMTP API errors. If it does not, `reconcile` finds these errors. */
  readonly smtpApiErrorHooks: boolean | undefined
  /** Whether bounce webhooks include the source of the bounce. */
  readonly bounceContent: boolean | undefined
  /** @example 'Live', 'Sandbox' */
  readonly deliveryType: string | undefined
  /** The webhooks of all streams; undefined if the client has no `getWebhooks`. */
  readonly webhooks: readonly WebhookReport[] | undefined
  /** What to do, one sentence each; empty if all is well. */
  readonly advice: readonly string[]
}

/**
 * Reports whether Postmark informs you of what becomes of mails: the settings of the server, and the paused event types
 * and failures of its webhooks. Call it at start-up, for example.
 * @example const { advice } = await hooksReport(client); for (const line of advice) logger.warn(line)
 * @throws PostmarkError ERR_POSTMARK_OPTIONS
 * @throws PostmarkError ERR_POSTMARK_BOUNCES if the server or its webhooks cannot be read
 * @see https://postmarkapp.com/developer/api/server-api
 * @see https://postmarkapp.com/developer/api/webhooks-api
 */
export async function hooksReport(
  client: ServerReader,
  options: HooksReportOptions = {},
): Promise<HooksReport> {
  refuseUnknown(options, ['verify'])
  const { verify = false } = options
  if (typeof verify !== 'boolean') throw optionError('verify', verify, 'true or false')
  const server = ((await ask('server', () => client.getServer())) ?? {}) as Raw
  const webhooks = await ask('webhooks', () => readWebhooks(client, verify))
  const smtpActivated = readSwitch(server.SmtpApiActivated)
  const smtpApiErrorHooks = readSwitch(server.EnableSmtpApiErrorHooks)
  const bounceContent = readSwitch(server.IncludeBounceContentInHook)
  const deliveryType = readText(server.DeliveryType)
  const advice = [
    ...(smtpActivated === false ? ['SMTP is off: switch it on in the settings of the server.'] : []),
    ...(smtpApiErrorHooks === false
      ? [
          'Postmark sends no webhook for refused mails: set EnableSmtpApiErrorHooks with the account token, or run reconcile().',
        ]
      : []),
    ...(deliveryType === 'Sandbox' ? ['The server is in sandbox mode: no email is delivered.'] : []),
    ...(webhooks ?? []).flatMap(adviseOn),
  ]
  return { smtpActivated, smtpApiErrorHooks, bounceContent, deliveryType, webhooks, advice }
}

async function ask<T>(what: 'server' | 'webhooks', question: () => Promise<T>): Promise<T> {
  try {
    return await question()
  } catch (cause) {
    const { message } = cause as { message?: string }
    const subject = what === 'server' ? 'The server' : 'The webhooks of the server'
    throw new PostmarkError('ERR_POSTMARK_BOUNCES', `${subject} cannot be read: ${message}`, { cause })
  }
}

function adviseOn({ id, stream, paused, statistics = {}, failed = [] }: WebhookReport): string[] {
  const webhook = `webhook ${id}${stream === undefined ? '' : ` of the stream ${stream}`}`
  const lost = Object.entries(statistics).filter(
    ([event, { failures }]) => failures > 0 && !paused.includes(event),
  )
  return [
    ...(paused.length > 0
      ? [
          `Postmark has paused ${paused.join(', ')} for ${webhook} because its requests kept failing: make the endpoint answer 200, then call hooksReport with verify: true. reconcile() reads the bounces that were lost.`,
        ]
      : []),
    ...lost.map(
      ([event, { failures, requests }]) =>
        `In the last 24 hours, ${failures} of ${requests} requests for ${event} to ${webhook} failed for good: check what the endpoint answers. reconcile() reads the bounces that were lost.`,
    ),
    ...failed.map(({ event, status }) =>
      status === 0
        ? `A test request for ${event} got no answer from ${webhook}: check that its URL can be reached from the internet.`
        : `A test request for ${event} to ${webhook} was answered with ${status}: the answer must be 200.`,
    ),
  ]
}

function readSwitch(value: unknown): boolean | undefined {
  return typeof value === 'boolean' ? value : undefined
}
