import type { Json } from '../api-client.js'
import { type Check, defineCheck } from '../check.js'
import type { Examination } from '../examination.js'
import { within } from '../within.js'
import { LINKS } from './links.js'
import { missingServer, SERVER_TOKEN } from './needs-api.js'
import { nameOf } from './webhooks.js'

/** What the application answers at the URLs of its webhooks. */
export const webhookPaths: Check = defineCheck({
  id: 'webhook-paths',
  title: 'Webhook endpoints',
  after: [],
  needs: SERVER_TOKEN,
  missing: (examination) =>
    missingServer(examination) ?? (examination.facts.webhooks?.length ? undefined : 'no webhook is known'),
  kinds: {
    'path-unreachable': {
      level: 'warning',
      what: 'The URL of a webhook does not answer requests from this machine.',
      cause:
        'The application is down, its name or certificate is wrong, or it can be reached only from elsewhere.',
      cure: 'Start the application. If it is running, check that its URL can be reached from the internet.',
      link: LINKS.posts,
    },
    'path-missing': {
      level: 'fault',
      what: 'The URL of a webhook answers 404 or 405, so its events are lost.',
      cause: 'The path is misspelled, or the route is mounted elsewhere.',
      cure: 'Correct the URL of the webhook or the path of the route.',
      link: LINKS.posts,
    },
    'path-unguarded': {
      level: 'fault',
      what: 'The URL of a webhook accepts a post without a secret.',
      cause: 'The application does not check who posts.',
      cure: 'Pass `auth` to the webhook handler. It answers 401 to everybody else.',
      link: LINKS.posts,
    },
    'path-odd': {
      level: 'warning',
      what: 'The URL of a webhook answers a post without a secret with something other than 401 or 403.',
      cause: 'A proxy or a redirect answers instead of the application, or the application fails.',
      cure: 'Check what answers at the URL. It must be the application itself.',
      link: LINKS.posts,
    },
  },
  async run(examination, report) {
    const answers = await Promise.all(
      (examination.facts.webhooks ?? []).map(async (webhook) => ({
        name: nameOf(webhook),
        status: await post(examination, webhook),
      })),
    )
    for (const { name, status } of answers) {
      if (typeof status === 'string') report.found('path-unreachable', `${name} does not answer: ${status}`)
      else if (status === 401 || status === 403) report.fine(`${name} answers ${status} without its secret`)
      else if (status === 404 || status === 405) report.found('path-missing', `${name} answers ${status}`)
      else if (status < 300) report.found('path-unguarded', `${name} answers ${status} without its secret`)
      else report.found('path-odd', `${name} answers ${status}, not 401 or 403`)
    }
  },
})

/** Posts an empty object without the secret. @returns the status, or why there is none */
async function post({ patienceMs, signal }: Examination, { Url }: Json): Promise<number | string> {
  const ending = new AbortController()
  try {
    const url = new URL(String(Url))
    url.username = ''
    url.password = ''
    const request = fetch(url, {
      method: 'POST',
      body: '{}',
      headers: { 'Content-Type': 'application/json' },
      redirect: 'manual',
      signal: AbortSignal.any([signal, ending.signal]),
    })
    return (await within(patienceMs, signal, request)).status
  } catch (error) {
    const { message, cause } = error as Error & { cause?: { code?: string } }
    return cause?.code ?? message
  } finally {
    ending.abort()
  }
}
