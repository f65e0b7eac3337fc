import { PostmarkError, UNSET_URL } from '../problems/error.js'
import { closeMatch } from '../problems/problem.js'
import { isQuotable } from '../problems/quote.js'

const PARAMETERS = ['stream', 'message_stream', 'type', 'plaintext']
/** The form of a connection URL, as an example. */
export const URL_FORM = 'postmark+smtp://TOKEN@default?stream=outbound'

/**
 * Converts a connection URL into the options it represents. Errors never quote it, because it contains the token.
 * @example parseTransportUrl('postmark+smtp://TOKEN@default?stream=outbound')
 * @throws PostmarkError ERR_POSTMARK_URL
 */
export function parseTransportUrl(text: string): Record<string, unknown> {
  const url = parse(text)
  const user = decode(url.username)
  const pass = decode(url.password)
  if (user === '') throw refuse('has no token')
  const parameters = readParameters(url.searchParams)
  const stream = parameters.get('stream') ?? parameters.get('message_stream')
  const type = parameters.get('type')
  if (type !== undefined && stream === undefined) throw refuse('has a type but no stream')
  const plaintext = parameters.get('plaintext')
  if (plaintext !== undefined && plaintext !== '1' && plaintext !== '0')
    throw refuse('has a value of plaintext other than 1 or 0')
  return {
    ...(pass === '' || pass === user
      ? { serverToken: user }
      : { smtpToken: { accessKey: user, secretKey: pass } }),
    ...(url.hostname === 'default' ? {} : { host: url.hostname.replace(/^\[|\]$/g, '') }),
    ...(url.port === '' ? {} : { ports: [Number(url.port)] }),
    ...(stream === undefined ? {} : { messageStream: stream }),
    ...(stream === undefined || type === undefined ? {} : { streams: { [stream]: { type } } }),
    ...(plaintext === '1' ? { allowPlaintext: true } : {}),
  }
}

function parse(text: string): URL {
  if (text === '') throw refuse('is empty', UNSET_URL)
  let url: URL
  try {
    url = new URL(text)
  } catch {
    throw refuse('is not valid')
  }
  if (url.protocol !== 'postmark+smtp:')
    throw refuse(
      isQuotable(url.protocol) ? `starts with ${url.protocol}//` : 'does not start with postmark+smtp://',
    )
  if (url.hostname === '') throw refuse('has no host')
  if (url.pathname !== '' && url.pathname !== '/') throw refuse('has a path')
  return url
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    throw refuse('has an invalid percent-encoding')
  }
}

function readParameters(parameters: URLSearchParams): ReadonlyMap<string, string> {
  const found = new Map<string, string>()
  for (const [name, value] of parameters) {
    if (!PARAMETERS.includes(name)) {
      const near = closeMatch(name, PARAMETERS)
      throw refuse(
        isQuotable(name) ? `has the unknown parameter ${JSON.stringify(name)}` : 'has an unknown parameter',
        near ? `Did you mean "${near}"?` : `Known: ${PARAMETERS.join(', ')}.`,
      )
    }
    if (found.has(name)) throw refuse(`has ${name} twice`)
    found.set(name, value)
  }
  return found
}

function refuse(found: string, hint = `Use the form ${URL_FORM}.`): PostmarkError {
  return new PostmarkError('ERR_POSTMARK_URL', `The connection URL ${found}. ${hint}`, { hint })
}
