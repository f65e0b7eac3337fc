import { ApiFailure } from '../api-client.js'
import { type Check, defineCheck } from '../check.js'
import { LINKS } from './links.js'
import { missingServerToken, SERVER_TOKEN } from './needs-api.js'

/** The settings of the server. */
export const server: Check = defineCheck({
  id: 'server',
  title: 'Postmark server',
  after: ['url'],
  needs: SERVER_TOKEN,
  missing: missingServerToken,
  kinds: {
    'api-unreachable': {
      level: 'fault',
      what: 'Postmark’s REST API cannot be reached or sends an unexpected answer.',
      cause: 'A firewall or proxy blocks outgoing HTTPS, or the API has a problem.',
      cure: 'Allow this machine to reach api.postmarkapp.com on port 443. Node uses HTTPS_PROXY only with NODE_USE_ENV_PROXY=1. Emails go out without the API.',
      link: LINKS.api,
    },
    'api-token-refused': {
      level: 'fault',
      what: 'The REST API refuses the Server API token.',
      cause: 'The token was revoked or mistyped, or it is an account token.',
      cure: 'Copy the Server API token again, from Servers > your server > API Tokens.',
      link: LINKS.api,
    },
    'server-smtp-off': {
      level: 'fault',
      what: 'SMTP is switched off for the server (SmtpApiActivated).',
      cause: 'It was switched off in the settings or through the API.',
      cure: 'Switch SMTP on in the settings of the server, or send PUT /server with SmtpApiActivated: true.',
      link: LINKS.server,
    },
    'error-hooks-off': {
      level: 'warning',
      what: 'Postmark posts no webhook for refused emails (EnableSmtpApiErrorHooks), so nobody notices them.',
      cause: 'The setting is off by default.',
      cure: 'Switch EnableSmtpApiErrorHooks on with the account token (PUT /servers/{id}), or read the list of bounces with reconcile().',
      link: LINKS.server,
    },
    'sandbox-server': {
      level: 'warning',
      what: 'The server is a sandbox server at Postmark and delivers nothing.',
      cause: 'The token belongs to a server whose delivery type is Sandbox.',
      cure: 'To deliver emails, use the token of a live server.',
      link: LINKS.server,
    },
  },
  async run({ api, caller, facts, redactor }, report) {
    try {
      facts.server = await api!.ask(caller!, '/server')
    } catch (error) {
      if (!(error instanceof ApiFailure)) throw error
      const isRefused = error.statusCode === 401 || error.statusCode === 403
      const what = isRefused ? 'refuses the token' : 'failed'
      report.found(
        isRefused ? 'api-token-refused' : 'api-unreachable',
        `the REST API ${what}: ${error.message}`,
      )
      return
    }
    const { ApiTokens, SmtpApiActivated, EnableSmtpApiErrorHooks, DeliveryType, ...settings } = facts.server
    if (Array.isArray(ApiTokens)) for (const token of ApiTokens) redactor.add(String(token))
    if (SmtpApiActivated === undefined && settings.Name === undefined) {
      facts.server = undefined
      report.found('api-unreachable', 'the answer does not describe a server')
      return
    }
    if (SmtpApiActivated === false)
      report.found('server-smtp-off', 'SMTP is switched off (SmtpApiActivated is false)')
    if (EnableSmtpApiErrorHooks === false)
      report.found('error-hooks-off', 'no webhook for refused emails (EnableSmtpApiErrorHooks is false)')
    if (DeliveryType === 'Sandbox')
      report.found('sandbox-server', 'it delivers nothing (DeliveryType is Sandbox)')
    const { Name, TrackOpens, TrackLinks, InboundDomain } = settings
    report.fine(
      `${JSON.stringify(Name)}: open tracking ${TrackOpens ? 'on' : 'off'}, link tracking ${TrackLinks ?? 'unknown'}, inbound domain ${InboundDomain || 'none'}`,
    )
  },
})
