import { isObject, type Raw, readNumber, readText } from './read-value.js'

/** What reads a server's webhooks. All but `getWebhooks` may be missing: see {@link WebhookReader.getWebhookStatistics}. */
export interface WebhookReader {
  getWebhooks?(): Promise<object>
  /**
   * `GET /webhooks/{id}/statistics`. The official client (5.1) has no method for it, nor for `verify`: its own request
   * functions are used then.
   */
  getWebhookStatistics?(id: number): Promise<object>
  /** `POST /webhooks/{id}/verify`. */
  verifyWebhook?(id: number): Promise<object>
}

/** How posts of one event type went. */
export interface WebhookCounts {
  readonly requests: number
  /** Posts that Postmark gave up: their events are lost. */
  readonly failures: number
  readonly retries: number
}

/** A test post that was not answered with 200. */
export interface FailedTrigger {
  /** @example 'Bounce' */
  readonly event: string
  /** The status of the answer; 0 where there was none. */
  readonly status: number
}

/** One webhook. It holds no URL, no login and no header, since they may be secret. */
export interface WebhookReport {
  readonly id: number
  /** @example 'outbound' */
  readonly stream: string | undefined
  /** The event types that it is called for. @example ['Bounce', 'Delivery'] */
  readonly events: readonly string[]
  /** Those that Postmark has paused because posts kept failing: nothing of them comes until they are verified. */
  readonly paused: readonly string[]
  /** By event type, over the last 24 hours; undefined where Postmark or the client does not say. */
  readonly statistics: Readonly<Record<string, WebhookCounts>> | undefined
  /** What `verify` found; empty where every event type was answered with 200, undefined where it was not asked for. */
  readonly failed: readonly FailedTrigger[] | undefined
}

/**
 * Reads a server's webhooks, with what their statistics say.
 * @param verify whether Postmark shall post dummy data to each of them first
 * @throws what the client throws for the list, or for `verify`
 */
export async function readWebhooks(
  client: WebhookReader,
  verify: boolean,
): Promise<WebhookReport[] | undefined> {
  if (typeof client.getWebhooks !== 'function') return undefined
  const { Webhooks } = (await client.getWebhooks()) as { Webhooks?: unknown }
  const reports: WebhookReport[] = []
  for (const webhook of Array.isArray(Webhooks) ? Webhooks.filter(isObject) : []) {
    const id = readNumber(webhook.ID)
    if (id === undefined) continue
    // One after the other: a server may have thirty, and Postmark limits the rate.
    const failed = verify ? readFailures(await verifyWebhook(client, id)) : undefined
    const statistics = await readStatistics(client, id)
    reports.push(toReport(id, webhook, statistics, failed))
  }
  return reports
}

function toReport(
  id: number,
  webhook: Raw,
  statistics: Raw | undefined,
  failed: FailedTrigger[] | undefined,
): WebhookReport {
  const triggers = Object.entries(isObject(webhook.Triggers) ? webhook.Triggers : {})
  const events = triggers.flatMap(([event, trigger]) =>
    isObject(trigger) && trigger.Enabled === true ? [event] : [],
  )
  const statuses = isObject(statistics?.Statuses) ? statistics.Statuses : {}
  const isPaused = (event: string) => /^(unverified|paused)$/i.test(String(statuses[event] ?? webhook.Status))
  return {
    id,
    stream: readText(webhook.MessageStream),
    events,
    paused: events.filter(isPaused),
    statistics: statistics && readCounts(statistics.MetricsByTrigger),
    failed,
  }
}

function readCounts(metrics: unknown): Readonly<Record<string, WebhookCounts>> {
  const counts = Object.entries(isObject(metrics) ? metrics : {}).flatMap(([event, given]) => {
    const metric = isObject(given) ? given : {}
    const count = (name: string) => readNumber(metric[name]) ?? 0
    return [
      [
        event,
        { requests: count('TotalRequests'), failures: count('FailureCount'), retries: count('RetryCount') },
      ],
    ]
  })
  return Object.fromEntries(counts)
}

/** Postmark answers 200 whether or not the webhook did: only the list of results says so. */
function readFailures(answer: unknown): FailedTrigger[] {
  const results = isObject(answer) && Array.isArray(answer.Results) ? answer.Results.filter(isObject) : []
  return results
    .filter(({ Success }) => Success !== true)
    .map(({ TriggerType, StatusCode }) => ({
      event: readText(TriggerType) ?? 'unknown',
      status: readNumber(StatusCode) ?? 0,
    }))
}

/** Of the official client: all of its methods go through these two, which are `protected` in its types only. */
interface RequestFunctions {
  processRequestWithoutBody?(method: string, path: string): Promise<unknown>
  processRequestWithBody?(method: string, path: string, body: object): Promise<unknown>
}

/** A server of Postmark's that does not have them yet, or any other failure, is no reason to report nothing. */
async function readStatistics(
  client: WebhookReader & RequestFunctions,
  id: number,
): Promise<Raw | undefined> {
  try {
    const answer: unknown = client.getWebhookStatistics
      ? await client.getWebhookStatistics(id)
      : await client.processRequestWithoutBody?.('GET', `/webhooks/${id}/statistics`)
    return isObject(answer) ? answer : undefined
  } catch {
    return undefined
  }
}

async function verifyWebhook(client: WebhookReader & RequestFunctions, id: number): Promise<unknown> {
  if (client.verifyWebhook) return await client.verifyWebhook(id)
  if (client.processRequestWithBody)
    return await client.processRequestWithBody('POST', `/webhooks/${id}/verify`, {})
  throw new Error('the client has no method verifyWebhook')
}
