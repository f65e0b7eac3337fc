import type { SmtpToken, StreamType } from '@postmark-smtp/core'
import { parseTransportUrl, readAccessKey, toLogin } from '@postmark-smtp/core/internal'
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
    'credentials-shape': {
      level: 'fault',
      what: 'The login in the URL cannot be right: a placeholder, white space, user name and password that differ although both are UUIDs.',
      cause: 'The token was copied in part, or a placeholder was never replaced.',
      cure: 'Copy the Server API token again, as user name only, or both halves of an SMTP token.',
      link: LINKS.smtp,
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
    const { url: given, apiToken } = options
    if (given === undefined) {
      if (apiToken === undefined) {
        report.fine('none is given, so no login is tried')
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
    if (host !== undefined) facts.host = host
    if (ports !== undefined && options.ports === undefined) facts.ports = ports
    if (messageStream !== undefined) facts.urlStream = messageStream
    const type = messageStream === undefined ? undefined : streams?.[messageStream]?.type
    if (type !== undefined) facts.urlType = type
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
      report.fine(`it can be read; ${login.user === login.pass ? 'a server token' : 'an SMTP token'} logs in`)
    } catch (error) {
      report.found('credentials-shape', messageOf(error))
    }
  },
})

/** Before it is parsed: a URL that cannot be read holds a token all the same. */
function hideLogin(text: string, add: (secret: string) => void): void {
  const [, login = ''] = /:\/\/(.*)@/.exec(text) ?? []
  for (const part of login.split(':')) {
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
