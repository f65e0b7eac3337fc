import type { SmtpToken, StreamType } from '@postmark-smtp/core'
import { isLoopback, parseTransportUrl, readAccessKey, toLogin } from '@postmark-smtp/core/internal'
import { isPostmarkError } from '@postmark-smtp/core/pure'
import { type Check, defineCheck } from '../check.js'
import { LINKS } from './links.js'

interface ReadUrl {
  readonly serverToken?: string
  readonly smtpToken?: SmtpToken
  readonly host?: string
  readonly ports?: readonly number[]
  readonly messageStream?: string
  readonly streams?: Readonly<Record<string, { readonly type: StreamType }>>
  readonly allowPlaintext?: boolean
}

/** The URL and the login in it, before any connection is opened. */
export const url: Check = defineCheck({
  id: 'url',
  title: 'Connection URL',
  after: [],
  kinds: {
    'url-unreadable': {
      level: 'fault',
      what: 'The connection URL is invalid: it has another scheme, an unknown parameter or no token.',
      cause: 'The URL does not have the form postmark+smtp://TOKEN@default?stream=outbound.',
      cure: 'Correct the URL. Percent-encode special characters in the token.',
      link: LINKS.smtp,
    },
    'login-missing': {
      level: 'warning',
      what: 'Neither a connection URL nor a Server API token is given, so the login and the server cannot be examined.',
      cause: 'POSTMARK_URL is empty or not exported here. The application may load it from a file.',
      cure: 'Export POSTMARK_URL in this shell, with the value that the application uses.',
      link: LINKS.smtp,
    },
    'credentials-shape': {
      level: 'fault',
      what: 'A token cannot be right: it is a placeholder, it contains white space, or user name and password are two different UUIDs.',
      cause: 'Only part of the token was copied, or a placeholder was never replaced.',
      cure: 'Copy the credentials again: either the Server API token as the user name only, or both halves of an SMTP token.',
      link: LINKS.smtp,
    },
    'plaintext-remote': {
      level: 'fault',
      what: 'The URL asks for plaintext on a host that is not this machine.',
      cause: 'The host in the URL of a sandbox was changed. plaintext=1 works only with a loopback host.',
      cure: 'Remove plaintext=1 from the URL.',
      link: LINKS.starttls,
    },
    'port-without-smtp': {
      level: 'fault',
      what: 'The URL names port 465, but Postmark does not listen on it.',
      cause: 'Port 465 is for implicit TLS, which Postmark does not offer.',
      cure: 'Remove the port from the URL. Ports 587, 2525 and 25 are then tried, with STARTTLS.',
      link: LINKS.smtp,
    },
  },
  async run({ options, facts, redactor }, report) {
    const { url: given, apiToken, accountToken } = options
    try {
      for (const token of [apiToken, accountToken]) if (token) toLogin({ serverToken: token })
    } catch (error) {
      report.found('credentials-shape', `a token for the REST API is wrong: ${messageOf(error)}`)
      return
    }
    if (given === undefined) {
      if (apiToken === undefined) {
        report.found('login-missing', 'neither a URL nor a token is given')
        return
      }
      facts.login = { user: apiToken, pass: apiToken }
      report.fine('not given; the Server API token is used to log in')
      return
    }
    hideLogin(given, redactor.add)
    let read: ReadUrl
    try {
      read = parseTransportUrl(given)
    } catch (error) {
      report.found('url-unreadable', messageOf(error))
      return
    }
    const { host, ports, messageStream, streams, allowPlaintext = false } = read
    if (host !== undefined) facts.host = host.toLowerCase()
    if (ports !== undefined && options.ports === undefined) facts.ports = ports
    if (messageStream !== undefined) facts.urlStream = messageStream
    const type = messageStream === undefined ? undefined : streams?.[messageStream]?.type
    if (type !== undefined) facts.urlType = type
    if (allowPlaintext && !isLoopback(host ?? '')) {
      report.found('plaintext-remote', `plaintext=1 is not allowed for ${host ?? 'Postmark’s hosts'}`)
      return
    }
    facts.plaintext = allowPlaintext
    if (facts.ports.includes(465)) {
      report.found('port-without-smtp', 'the URL names port 465, but Postmark does not listen on it')
      return
    }
    try {
      const login = toLogin({ serverToken: read.serverToken, smtpToken: read.smtpToken })
      redactor.add(login.user)
      redactor.add(login.pass)
      facts.login = login
      const key = readAccessKey(login.user)
      facts.urlType ??= key.type
      facts.urlStream ??= key.stream
      report.fine(`valid, with ${login.user === login.pass ? 'a server token' : 'an SMTP token'}`)
    } catch (error) {
      report.found('credentials-shape', messageOf(error))
    }
  },
})

/** Called before the URL is parsed, because an invalid URL still holds a token. */
function hideLogin(text: string, add: (secret: string) => void): void {
  const [, login = ''] = /:\/\/(.*)@/.exec(text) ?? []
  // Without `@default` the token is somewhere else in the URL.
  const uuids = text.match(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/gi) ?? []
  for (const part of [...login.split(':'), ...uuids]) {
    add(part)
    try {
      add(decodeURIComponent(part))
    } catch {
      // Not an escape; the check says so.
    }
  }
}

function messageOf(error: unknown): string {
  if (!isPostmarkError(error)) throw error
  return error.message
}
