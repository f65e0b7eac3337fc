import { RECORD_TYPES, type SandboxWebhook } from '../../webhooks/webhook.js'
import type { WebhookAttempt } from '../../webhooks/webhook-attempt.js'

const HOURS = 24
/** It is not documented when a reply counts as slow. */
const SLOW_MS = 2000
const VERY_SLOW_MS = 10_000

/** The results of the posts to a webhook in the last 24 hours, in total and by trigger. */
export function toStatistics(webhook: SandboxWebhook, attempts: readonly WebhookAttempt[], now: Date) {
  const start = new Date(now.getTime() - HOURS * 3_600_000)
  const recent = attempts.filter(({ webhookId, at }) => webhookId === webhook.id && at >= start)
  const types = RECORD_TYPES.filter((type) => webhook.triggers[type].enabled)
  const status = webhook.verified ? 'verified' : 'unverified'
  return {
    WebhookId: webhook.id,
    Url: webhook.url,
    Statuses: Object.fromEntries(types.map((type) => [type, status])),
    TimeRange: { StartTime: start.toISOString(), EndTime: now.toISOString(), Hours: HOURS },
    Metrics: toMetrics(recent),
    MetricsByTrigger: Object.fromEntries(
      types.map((type) => [type, toMetrics(recent.filter(({ recordType }) => recordType === type))]),
    ),
  }
}

/** A request is an event that is finished: accepted, or dropped permanently. */
function toMetrics(attempts: readonly WebhookAttempt[]) {
  const ended = attempts.filter(({ outcome }) => outcome !== 'retry')
  const retries = attempts.filter(({ attempt }) => attempt > 1)
  const succeeded = ended.filter(({ outcome }) => outcome === 'done').length
  return {
    TotalRequests: ended.length,
    SuccessCount: succeeded,
    FailureCount: ended.length - succeeded,
    RetryCount: retries.length,
    SuccessRate: ended.length === 0 ? null : Math.round((succeeded / ended.length) * 1000) / 10,
    SlowCount: attempts.filter(({ durationMs }) => durationMs >= SLOW_MS).length,
    VerySlowCount: attempts.filter(({ durationMs }) => durationMs >= VERY_SLOW_MS).length,
    AverageTerminalResponseTimeMs: averageTime(ended),
    AverageRetryResponseTimeMs: averageTime(retries),
  }
}

function averageTime(attempts: readonly WebhookAttempt[]): number | null {
  if (attempts.length === 0) return null
  return Math.round(attempts.reduce((sum, { durationMs }) => sum + durationMs, 0) / attempts.length)
}
