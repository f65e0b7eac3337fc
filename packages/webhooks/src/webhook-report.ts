import { isObject, type Raw, readNumber, readText } from './read-value.js'

/** A client that reads a server's webhooks. The official client has only `getWebhooks`: see `getWebhookStatistics`. */
export interface WebhookReader {
  getWebhooks?(): Promise<object>
  /**
   * `GET /webhooks/{id}/statistics`. The official client (5.1) has no method for this or for `verify`, so its internal
   * request functions are used instead.
   */
  getWebhookStatistics?(id: number): Promise<object>
  /** `POST /webhooks/{id}/verify`. */
  verifyWebhook?(id: number): Promise<object>
}

/** Counts of the requests for one event type. */
export interface WebhookCounts {
  readonly requests: number
  /** Requests that Postmark gave up on: their events are lost. */
  readonly failures: number
  readonly retries: number
}

/** A test request that was not answered with 200. */
export interface FailedTrigger {
  /** @example 'Bounce' */
  readonly event: string
  /** The status of the answer; 0 if there was none. */
  readonly status: number
}

/** One webhook. It contains no URL, login or header, because these may be secret. */
export interface WebhookReport {
  readonly id: number
  /** @example 'outbound' */
  readonly stream: string | undefined
  /** The event types that the webhook is called for. @example ['Bounce', 'Delivery'] */
  readonly events: readonly string[]
  /** The event types that Postmark paused because requests kept failing. It sends none of these until they are verified. */
  readonly paused: readonly string[]
  /** Counts by event type over the last 24 hours; undefined if Postmark or the client does not provide them. */
  readonly statistics: Readonly<Record<string, WebhookCounts>> | undefined
  /** The failures that `verify` found; empty if every event type was answered with 200, undefined without `verify`. */
  readonly failed: readonly FailedTrigger[] | undefined
}

/**
 * Reads a server's webhooks and their statistics.
 * @param verify whether Postmark first posts dummy data to each of them
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

/** Postmark answers 200 whether or not the webhook did: only the list of results shows it. */
function readFailures(answer: unknown): FailedTrigger[] {
  const results = isObject(answer) && Array.isArray(answer.Results) ? answer.Results.filter(isObject) : []
  return results
    .filter(({ Success }) => Success !== true)
    .map(({ TriggerType, StatusCode }) => ({
      event: readText(TriggerType) ?? 'unknown',
      status: readNumber(StatusCode) ?? 0,
    }))
}

/** The functions that all methods of the official client use; they are `protected` only in its types. */
interface RequestFunctions {
  processRequestWithoutBody?(method: string, path: string): Promise<unknown>
  processRequestWithBody?(method: string, path: string, body: object): Promise<unknown>
}

/** If Postmark does not have statistics yet, or on any other failure, the rest is still reported. */
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
