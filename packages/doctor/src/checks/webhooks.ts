import { hooksReport } from '@postmark-smtp/webhooks'
import { type Json, listOf } from '../api-client.js'
import { type Check, defineCheck } from '../check.js'
import type { Examination } from '../examination.js'
import { LINKS } from './links.js'
import { missingServer, SERVER_TOKEN } from './needs-api.js'

const EVENTS = ['Bounce', 'SpamComplaint', 'SubscriptionChange'] as const

/** The webhooks as they are set up at Postmark. */
export const webhooks: Check = defineCheck({
  id: 'webhooks',
  title: 'Webhooks',
  after: [],
  needs: SERVER_TOKEN,
  missing: missingServer,
  kinds: {
    'webhooks-missing': {
      level: 'warning',
      what: 'The stream has no webhook, so the application does not learn what happens to its emails.',
      cause: 'No webhook was created for this stream. Each stream has its own webhooks.',
      cure: 'Create a webhook for the stream, or read the list of bounces with reconcile().',
      link: LINKS.webhooks,
    },
    'webhook-triggers': {
      level: 'warning',
      what: 'The webhooks of the stream do not report all bounces, spam complaints and subscription changes.',
      cause: 'A trigger is off.',
      cure: 'Switch the trigger on. Without it, you do not learn which addresses you must not write to.',
      link: LINKS.webhooks,
    },
    'webhook-content': {
      level: 'warning',
      what: 'The Bounce trigger does not include content, so a refused email may arrive without its error code.',
      cause: 'IncludeContent is off.',
      cure: 'Switch IncludeContent on for the Bounce trigger.',
      link: LINKS.webhooks,
    },
    'webhook-open': {
      level: 'fault',
      what: 'A webhook has neither a login nor a header with a secret, so anybody can post to its URL.',
      cause:
        'Postmark does not sign its posts, and the webhook was created without HttpAuth and HttpHeaders.',
      cure: 'Set a user name and password or a header on the webhook, and check it with createWebhookHandler({ auth }).',
      link: LINKS.posts,
    },
    'webhook-in-clear': {
      level: 'warning',
      what: 'The URL of a webhook does not use TLS.',
      cause: 'The URL begins with http://, so the secret and the events cross the internet unencrypted.',
      cure: 'Use an https URL.',
      link: LINKS.posts,
    },
    'webhook-paused': {
      level: 'fault',
      what: 'Postmark has paused an event type of a webhook and no longer posts its events.',
      cause: 'Its posts kept failing.',
      cure: 'Make the endpoint answer 200, then verify the webhook. reconcile() reads the bounces that you missed.',
      link: LINKS.webhooks,
    },
    'webhook-failing': {
      level: 'warning',
      what: 'Posts to a webhook failed permanently in the last 24 hours.',
      cause: 'The endpoint answered with an error or not in time.',
      cure: 'Check what the endpoint answers. reconcile() reads the bounces that you missed.',
      link: LINKS.webhooks,
    },
    'webhook-unverified': {
      level: 'fault',
      what: 'The endpoint did not answer a test post from Postmark with 200 (only with --verify-webhooks).',
      cause: 'The endpoint cannot be reached from the internet, or it refuses the secret of the webhook.',
      cure: 'Compare the secret of the webhook with that of the application, then try again.',
      link: LINKS.webhooks,
    },
  },
  async run(examination, report) {
    const { api, caller, facts, stream, options, redactor } = examination
    const answer = await api!.ask(caller!, '/webhooks')
    const all = listOf(answer.Webhooks)
    facts.webhooks = all
    for (const webhook of all) hideSecrets(webhook, redactor.add)
    const own = all.filter(({ MessageStream }) => MessageStream === stream)
    if (own.length === 0) {
      report.found('webhooks-missing', `none for ${stream}; other streams have ${all.length}`)
      return
    }
    const missing = EVENTS.filter(
      (event) => !own.some((webhook) => triggerOf(webhook, event).Enabled === true),
    )
    if (missing.length > 0)
      report.found('webhook-triggers', `no webhook of ${stream} reports ${missing.join(', ')}`)
    for (const webhook of all) {
      const name = nameOf(webhook)
      const bounce = triggerOf(webhook, 'Bounce')
      if (bounce.Enabled === true && bounce.IncludeContent !== true)
        report.found('webhook-content', `${name}: the Bounce trigger does not include content`)
      if (!hasSecret(webhook)) report.found('webhook-open', `${name} has no secret`)
      if (/^http:/i.test(String(webhook.Url)) && !isLocal(String(webhook.Url)))
        report.found('webhook-in-clear', `${name} has an http:// URL`)
    }
    const { webhooks: reports = [] } = await hooksReport(
      {
        getServer: async () => facts.server ?? {},
        getWebhooks: async () => answer,
        getWebhookStatistics: (id) => api!.ask(caller!, `/webhooks/${id}/statistics`),
        verifyWebhook: (id) => api!.ask(caller!, `/webhooks/${id}/verify`, 'POST'),
      },
      { verify: options.verifyWebhooks },
    )
    for (const { id, paused, statistics = {}, failed = [] } of reports) {
      if (paused.length > 0)
        report.found('webhook-paused', `webhook ${id} is paused for ${paused.join(', ')}`)
      for (const [event, { failures, requests }] of Object.entries(statistics))
        if (failures > 0)
          report.found(
            'webhook-failing',
            `webhook ${id}: ${failures} of ${requests} posts of ${event} failed`,
          )
      for (const { event, status } of failed)
        report.found(
          'webhook-unverified',
          `webhook ${id}: the endpoint answered ${event} with ${status || 'nothing'}`,
        )
    }
    report.fine(`${own.length} for ${stream}, ${all.length} on the whole server`)
  },
})

function triggerOf({ Triggers }: Json, event: string): Json {
  return ((Triggers as Json | undefined)?.[event] as Json | undefined) ?? {}
}

/** Names a webhook by its number and host, because the rest of its URL may be secret. */
export function nameOf({ ID, Url, MessageStream }: Json): string {
  const host = URL.canParse(String(Url)) ? new URL(String(Url)).host : 'an invalid URL'
  return `webhook ${ID} of ${MessageStream} at ${host}`
}

function hasSecret({ HttpAuth, HttpHeaders, Url }: Json): boolean {
  const { Password } = (HttpAuth ?? {}) as Json
  const inUrl = URL.canParse(String(Url)) && new URL(String(Url)).password !== ''
  return Boolean(Password) || inUrl || listOf(HttpHeaders).length > 0
}

/** The secrets are never printed, but a server may echo them in an error. */
function hideSecrets({ HttpAuth, HttpHeaders, Url }: Json, add: Examination['redactor']['add']): void {
  const { Password } = (HttpAuth ?? {}) as Json
  const inUrl = URL.canParse(String(Url)) ? decodeURIComponent(new URL(String(Url)).password) : ''
  for (const secret of [Password, inUrl, ...listOf(HttpHeaders).map(({ Value }) => Value)])
    if (typeof secret === 'string' && secret.length > 5) add(secret)
}

function isLocal(url: string): boolean {
  return URL.canParse(url) && /^(localhost|127\.[\d.]+|\[::1\])$/.test(new URL(url).hostname)
}
