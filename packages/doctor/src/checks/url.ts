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

/** The URL and the login in it, before anything is connected to. */
export const url: Check = defineCheck({
  id: 'url',
  title: 'Connection URL',
  after: [],
  kinds: {
    'url-unreadable': {
      level: 'fault',
      what: 'The connection URL cannot be read: another scheme, an unknown parameter, no token.',
      cause: 'The URL is not of the form postmark+smtp://TOKEN@default?stream=outbound.',
      cure: 'Correct the URL; percent-encode special characters in the token.',
      link: LINKS.smtp,
    },
    'login-missing': {
      level: 'warning',
      what: 'Neither a connection URL nor a Server API token is given: only the network is examined.',
      cause: 'POSTMARK_URL is empty or not exported here, although the application may load it from a file.',
      cure: 'Run it as the application runs: export POSTMARK_URL, or NODE_OPTIONS=--env-file=.env.',
      link: LINKS.smtp,
    },
    'credentials-shape': {
      level: 'fault',
      what: 'A token cannot be right: a placeholder, white space, user name and password that differ although both are UUIDs.',
      cause: 'The token was copied in part, or a placeholder was never replaced.',
      cure: 'Copy the Server API token again, as user name only, or both halves of an SMTP token.',
      link: LINKS.smtp,
    },
    'plaintext-remote': {
      level: 'fault',
      what: 'The URL asks for plaintext at a host that is not this machine.',
      cause: 'The URL of a sandbox was given another host: plaintext=1 is for loopback hosts only.',
      cure: 'Take plaintext=1 out of the URL.',
      link: LINKS.starttls,
    },
    'port-without-smtp': {
      level: 'fault',
      what: 'The URL names port 465, on which Postmark does not listen.',
      cause: 'Port 465 is for implicit TLS, which Postmark does not offer.',
      cure: 'Leave the port out: 587, 2525 and 25 are tried, with STARTTLS.',
      link: LINKS.smtp,
    },
  },
  async run({ options, facts, redactor }, report) {
    const { url: given, apiToken, accountToken } = options
    try {
      for (const token of [apiToken, accountToken]) if (token) toLogin({ serverToken: token })
    } catch (error) {
      report.found('credentials-shape', `A token for the REST API: ${messageOf(error)}`)
      return
    }
    if (given === undefined) {
      if (apiToken === undefined) {
        report.found('login-missing', 'there is neither a URL nor a token')
        return
      }
      facts.login = { user: apiToken, pass: apiToken }
      report.fine('none is given; the Server API token is the login')
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
      report.found('plaintext-remote', `the host is ${host ?? 'Postmark’s'}`)
      return
    }
    facts.plaintext = allowPlaintext
    if (facts.ports.includes(465)) {
      report.found('port-without-smtp', 'the URL names port 465')
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
      report.fine(
        `it can be read, and holds ${login.user === login.pass ? 'a server token' : 'an SMTP token'}`,
      )
    } catch (error) {
      report.found('credentials-shape', messageOf(error))
    }
  },
})

/** Before it is parsed: a URL that cannot be read holds a token all the same. */
function hideLogin(text: string, add: (secret: string) => void): void {
  const [, login = ''] = /:\/\/(.*)@/.exec(text) ?? []
  // Whoever forgets `@default` has the token elsewhere.
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
