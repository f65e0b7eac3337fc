import { ApiFailure } from '../api-client.js'
import { type Check, defineCheck } from '../check.js'
import type { Examination } from '../examination.js'
import { LINKS } from './links.js'
import { openSession } from './open-session.js'

const COPY = 'Copy the Server API token again, from Servers > your server > API Tokens.'

/** The login. */
export const login: Check = defineCheck({
  id: 'login',
  title: 'Login',
  after: ['ehlo'],
  missing: ({ facts }) => (facts.login ? undefined : 'neither a URL nor a Server API token is given'),
  kinds: {
    'account-token': {
      level: 'fault',
      what: 'The token is an account API token, which never works for SMTP.',
      cause: 'The REST API accepts the token, but as an account token. The two kinds look alike.',
      cure: 'Use a Server API token, from Servers > your server > API Tokens.',
      link: LINKS.api,
      untested: 'Postmark’s own reply to an account token. The API in the test is scripted.',
    },
    'smtp-off': {
      level: 'fault',
      what: 'The token is right, but SMTP is switched off for the server.',
      cause: 'The REST API accepts the token and reports SmtpApiActivated: false.',
      cure: 'Switch SMTP on in the settings of the server, or send PUT /server with SmtpApiActivated: true.',
      link: LINKS.server,
    },
    'wrong-token': {
      level: 'fault',
      what: 'The token does not belong to a server.',
      cause:
        'The token was revoked or mistyped, or it is from another account. Neither SMTP nor the REST API accepts it.',
      cure: COPY,
      link: LINKS.api,
    },
    'user-is-not-password': {
      level: 'fault',
      what: 'The user name is a Server API token, but the password is different.',
      cause: 'The password is not the user name. A Server API token must be both.',
      cure: 'Remove the password from the URL: postmark+smtp://TOKEN@default.',
      link: LINKS.smtp,
    },
    'smtp-token-refused': {
      level: 'fault',
      what: 'The SMTP token (PM-T-…, PM-B-…) is refused.',
      cause:
        'The secret key is wrong, or the token was revoked. The REST API cannot say which, because it does not know SMTP tokens.',
      cure: 'Create a new SMTP token for the stream. Its secret key is shown only once.',
      link: LINKS.smtp,
    },
    'login-refused': {
      level: 'fault',
      what: 'The login is refused, and the REST API cannot say why.',
      cause:
        'The token is an account token or was revoked, the user name is not the password, or SMTP is switched off.',
      cure: COPY,
      link: LINKS.smtp,
    },
    'login-deferred': {
      level: 'warning',
      what: 'The server defers the login (4xx) or does not answer it in time.',
      cause: 'The server is busy, or this address has too many open connections.',
      cure: 'Try again later. Open at most 10 connections.',
      link: LINKS.smtp,
    },
  },
  async run(examination, report) {
    const { facts, host } = examination
    const session = await openSession(examination, facts.sessions.get(host)!.target, facts.login)
    const isServerToken = facts.login!.user === facts.login!.pass
    const { failure } = session
    if (!failure) {
      report.fine(`${host} accepts ${isServerToken ? 'the server token' : 'the SMTP token'}`)
      return
    }
    const isRefused = failure.code === 'EAUTH' && (failure.responseCode ?? 500) >= 500
    report.found(isRefused ? await findCause(examination) : 'login-deferred', failure.message)
  },
})

async function findCause(examination: Examination) {
  const { user, pass } = examination.facts.login!
  if (/^PM-[TB]-/.test(user)) return 'smtp-token-refused'
  const server = await asks(examination, 'X-Postmark-Server-Token', '/server')
  if (server === 'unknown') return 'login-refused'
  if (server !== 'refused') {
    if (user !== pass) return 'user-is-not-password'
    return server.SmtpApiActivated === false ? 'smtp-off' : 'login-refused'
  }
  const account = await asks(examination, 'X-Postmark-Account-Token', '/servers?count=1&offset=0')
  return typeof account === 'object' ? 'account-token' : 'wrong-token'
}

async function asks(
  { api, facts }: Examination,
  header: 'X-Postmark-Server-Token' | 'X-Postmark-Account-Token',
  path: string,
) {
  try {
    return (await api?.ask({ header, token: facts.login!.user }, path)) ?? 'unknown'
  } catch (error) {
    return error instanceof ApiFailure && /^40[13]$/.test(String(error.statusCode)) ? 'refused' : 'unknown'
  }
}
