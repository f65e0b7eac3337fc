import { hooksReport } from '@postmark-smtp/webhooks'
import { type Json, listOf } from '../api-client.js'
import { type Check, defineCheck } from '../check.js'
import type { Examination } from '../examination.js'
import { LINKS } from './links.js'
import { missingServer, SERVER_TOKEN } from './needs-api.js'

const EVENTS = ['Bounce', 'SpamComplaint', 'SubscriptionChange'] as const

/** The webhooks, as Postmark has them. */
export const webhooks: Check = defineCheck({
  id: 'webhooks',
  title: 'Webhooks',
  after: [],
  needs: SERVER_TOKEN,
  missing: missingServer,
  kinds: {
    'webhooks-missing': {
      level: 'warning',
      what: 'The stream has no webhook, so nobody hears what becomes of its mails.',
      cause: 'None was made for this stream: each stream has webhooks of its own.',
      cure: 'Make one for the stream, or read the list of bounces with reconcile().',
      link: LINKS.webhooks,
    },
    'webhook-triggers': {
      level: 'warning',
      what: 'No webhook of the stream takes bounces, complaints or changes of subscription.',
      cause: 'The trigger is off.',
      cure: 'Switch the trigger on, so that addresses that must not be written to are known.',
      link: LINKS.webhooks,
    },
    'webhook-content': {
      level: 'warning',
      what: 'The Bounce trigger comes without content, so a refused mail may come without its error code.',
      cause: 'IncludeContent is off.',
      cure: 'Switch IncludeContent of the Bounce trigger on.',
      link: LINKS.webhooks,
    },
    'webhook-open': {
      level: 'fault',
      what: 'A webhook has no login and no header with a secret: anybody can post to it.',
      cause: 'Postmark signs nothing, and the webhook was made without HttpAuth and HttpHeaders.',
      cure: 'Set a user and a password, or a header, and check it: createWebhookHandler({ auth }).',
      link: LINKS.posts,
    },
    'webhook-in-clear': {
      level: 'warning',
      what: 'A webhook has a URL without TLS.',
      cause: 'Its URL begins with http://, so its secret and what it posts cross the internet in clear.',
      cure: 'Use an https URL.',
      link: LINKS.posts,
    },
    'webhook-paused': {
      level: 'fault',
      what: 'Postmark has paused an event type of a webhook: nothing of it comes.',
      cause: 'Its posts kept failing.',
      cure: 'Make the endpoint answer 200, then verify the webhook. reconcile() reads the bounces that were lost.',
      link: LINKS.webhooks,
    },
    'webhook-failing': {
      level: 'warning',
      what: 'Posts to a webhook failed for good in the last 24 hours.',
      cause: 'The endpoint answered with an error, or not in time.',
      cure: 'Look at what the endpoint answers. reconcile() reads the bounces that were lost.',
      link: LINKS.webhooks,
    },
    'webhook-unverified': {
      level: 'fault',
      what: 'A test post of Postmark was not answered with 200 (only with --verify-webhooks).',
      cause: 'The endpoint cannot be reached from the internet, or refuses the secret of the webhook.',
      cure: 'Compare the secret of the webhook with that of the application, and try again.',
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
      report.found('webhooks-missing', `${stream} has none; other streams have ${all.length}`)
      return
    }
    const missing = EVENTS.filter(
      (event) => !own.some((webhook) => triggerOf(webhook, event).Enabled === true),
    )
    if (missing.length > 0) report.found('webhook-triggers', `${stream}: none takes ${missing.join(', ')}`)
    for (const webhook of all) {
      const name = nameOf(webhook)
      const bounce = triggerOf(webhook, 'Bounce')
      if (bounce.Enabled === true && bounce.IncludeContent !== true) report.found('webhook-content', name)
      if (!hasSecret(webhook)) report.found('webhook-open', name)
      if (/^http:/i.test(String(webhook.Url)) && !isLocal(String(webhook.Url)))
        report.found('webhook-in-clear', name)
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
      if (paused.length > 0) report.found('webhook-paused', `webhook ${id}: ${paused.join(', ')}`)
      for (const [event, { failures, requests }] of Object.entries(statistics))
        if (failures > 0)
          report.found('webhook-failing', `webhook ${id}: ${failures} of ${requests} posts of ${event}`)
      for (const { event, status } of failed)
        report.found('webhook-unverified', `webhook ${id}: ${event} was answered with ${status || 'nothing'}`)
    }
    report.fine(`${stream} has ${own.length}, the server ${all.length}`)
  },
})

function triggerOf({ Triggers }: Json, event: string): Json {
  return ((Triggers as Json | undefined)?.[event] as Json | undefined) ?? {}
}

/** A webhook by its number and host: the rest of its URL may be secret. */
export function nameOf({ ID, Url, MessageStream }: Json): string {
  const host = URL.canParse(String(Url)) ? new URL(String(Url)).host : 'an odd URL'
  return `webhook ${ID} of ${MessageStream} at ${host}`
}

function hasSecret({ HttpAuth, HttpHeaders, Url }: Json): boolean {
  const { Password } = (HttpAuth ?? {}) as Json
  const inUrl = URL.canParse(String(Url)) && new URL(String(Url)).password !== ''
  return Boolean(Password) || inUrl || listOf(HttpHeaders).length > 0
}

/** Nothing of it is printed; what a server echoes in an error might be. */
function hideSecrets({ HttpAuth, HttpHeaders, Url }: Json, add: Examination['redactor']['add']): void {
  const { Password } = (HttpAuth ?? {}) as Json
  const inUrl = URL.canParse(String(Url)) ? decodeURIComponent(new URL(String(Url)).password) : ''
  for (const secret of [Password, inUrl, ...listOf(HttpHeaders).map(({ Value }) => Value)])
    if (typeof secret === 'string' && secret.length > 5) add(secret)
}

function isLocal(url: string): boolean {
  return URL.canParse(url) && /^(localhost|127\.[\d.]+|\[::1\])$/.test(new URL(url).hostname)
}
