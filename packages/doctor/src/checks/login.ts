import { ApiFailure } from '../api-client.js'
import { type Check, defineCheck } from '../check.js'
import type { Examination } from '../examination.js'
import { LINKS } from './links.js'
import { openSession } from './open-session.js'

const COPY = 'Copy the Server API token again: Servers, your server, API Tokens.'

/** The login. */
export const login: Check = defineCheck({
  id: 'login',
  title: 'Login',
  after: ['ehlo'],
  missing: ({ facts }) => (facts.login ? undefined : 'no URL and no Server API token is given'),
  kinds: {
    'account-token': {
      level: 'fault',
      what: 'The token is an account API token, which never works for SMTP.',
      cause: 'The account token looks like a Server API token. The REST API takes it as an account token.',
      cure: 'Use a Server API token: Servers, your server, API Tokens.',
      link: LINKS.api,
      untested: 'How Postmark itself answers to an account token: the API of the test is scripted.',
    },
    'smtp-off': {
      level: 'fault',
      what: 'The token is right, and SMTP is switched off for the server.',
      cause: 'The REST API takes the token, and says SmtpApiActivated: false.',
      cure: 'Switch SMTP on in the settings of the server’s stream.',
      link: LINKS.server,
    },
    'wrong-token': {
      level: 'fault',
      what: 'The token does not belong to a server: it was revoked, mistyped, or is of another account.',
      cause: 'Neither SMTP nor the REST API takes it.',
      cure: COPY,
      link: LINKS.api,
    },
    'user-is-not-password': {
      level: 'fault',
      what: 'The user name is a Server API token, and the password is another text.',
      cause: 'A Server API token is user name and password alike.',
      cure: 'Leave the password out of the URL: postmark+smtp://TOKEN@default.',
      link: LINKS.smtp,
    },
    'smtp-token-refused': {
      level: 'fault',
      what: 'An SMTP token (PM-T-…, PM-B-…) is refused.',
      cause:
        'The secret key is wrong, or the token was revoked. Only a login shows it; the REST API does not know SMTP tokens.',
      cure: 'Make a new SMTP token for the stream; its secret key is shown once.',
      link: LINKS.smtp,
    },
    'login-refused': {
      level: 'fault',
      what: 'The login is refused, and the REST API cannot say why.',
      cause:
        'An account token, a revoked token, a user name that is not the password, or SMTP that is switched off.',
      cure: COPY,
      link: LINKS.smtp,
    },
    'login-deferred': {
      level: 'warning',
      what: 'The server defers the login (4xx), or does not answer it in time.',
      cause: 'The server is busy, or too many connections are open from this address.',
      cure: 'Try again later; keep to at most 10 connections.',
      link: LINKS.smtp,
    },
  },
  async run(examination, report) {
    const { facts, host } = examination
    const session = await openSession(examination, facts.sessions.get(host)!.target, facts.login)
    const isServerToken = facts.login!.user === facts.login!.pass
    const { failure } = session
    if (!failure) {
      report.fine(`${host} takes ${isServerToken ? 'the server token' : 'the SMTP token'}`)
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
