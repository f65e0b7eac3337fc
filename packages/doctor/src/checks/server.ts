import { ApiFailure } from '../api-client.js'
import { type Check, defineCheck } from '../check.js'
import { LINKS } from './links.js'
import { missingServerToken, SERVER_TOKEN } from './needs-api.js'

/** The settings of the server. */
export const server: Check = defineCheck({
  id: 'server',
  title: 'Server at Postmark',
  after: ['url'],
  needs: SERVER_TOKEN,
  missing: missingServerToken,
  kinds: {
    'api-unreachable': {
      level: 'fault',
      what: 'Postmark’s REST API cannot be reached, or answers something odd.',
      cause: 'A firewall or a proxy lets no HTTPS out, or the API has trouble.',
      cure: 'Let this machine reach api.postmarkapp.com on port 443; Node goes through HTTPS_PROXY only with NODE_USE_ENV_PROXY=1. Mails go out without it.',
      link: LINKS.api,
    },
    'api-token-refused': {
      level: 'fault',
      what: 'The REST API refuses the Server API token.',
      cause: 'It was revoked, mistyped, or is an account token.',
      cure: 'Copy the Server API token again: Servers, your server, API Tokens.',
      link: LINKS.api,
    },
    'server-smtp-off': {
      level: 'fault',
      what: 'SMTP is switched off for the server (SmtpApiActivated).',
      cause: 'Somebody switched it off, in the settings or with the API.',
      cure: 'Switch SMTP on in the settings of the server, or PUT /server with SmtpApiActivated: true.',
      link: LINKS.server,
    },
    'error-hooks-off': {
      level: 'warning',
      what: 'Refused mails do not come as webhooks (EnableSmtpApiErrorHooks), so nobody hears of them.',
      cause: 'It is off by default.',
      cure: 'Set EnableSmtpApiErrorHooks with the account token: PUT /servers/{id}. Or read the list of bounces with reconcile().',
      link: LINKS.server,
    },
    'sandbox-server': {
      level: 'warning',
      what: 'The server is a sandbox server at Postmark: it delivers nothing.',
      cause: 'The token is that of a server whose delivery type is Sandbox.',
      cure: 'Use the token of a live server to deliver mail.',
      link: LINKS.server,
    },
  },
  async run({ api, caller, facts, redactor }, report) {
    try {
      facts.server = await api!.ask(caller!, '/server')
    } catch (error) {
      if (!(error instanceof ApiFailure)) throw error
      const isRefused = error.statusCode === 401 || error.statusCode === 403
      report.found(isRefused ? 'api-token-refused' : 'api-unreachable', error.message)
      return
    }
    const { ApiTokens, SmtpApiActivated, EnableSmtpApiErrorHooks, DeliveryType, ...settings } = facts.server
    if (Array.isArray(ApiTokens)) for (const token of ApiTokens) redactor.add(String(token))
    if (SmtpApiActivated === undefined && settings.Name === undefined) {
      facts.server = undefined
      report.found('api-unreachable', 'what answers does not describe a server')
      return
    }
    if (SmtpApiActivated === false) report.found('server-smtp-off', 'SmtpApiActivated is false')
    if (EnableSmtpApiErrorHooks === false) report.found('error-hooks-off', 'EnableSmtpApiErrorHooks is false')
    if (DeliveryType === 'Sandbox') report.found('sandbox-server', 'DeliveryType is Sandbox')
    const { Name, TrackOpens, TrackLinks, InboundDomain } = settings
    report.fine(
      `${JSON.stringify(Name)}: opens ${TrackOpens ? 'tracked' : 'not tracked'}, links ${TrackLinks ?? 'not said'}, inbound domain ${InboundDomain || 'none'}`,
    )
  },
})
