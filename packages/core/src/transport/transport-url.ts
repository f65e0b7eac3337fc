import { PostmarkError, UNSET_VARIABLE } from '../problems/error.js'
import { closeMatch } from '../problems/problem.js'

const PARAMETERS = ['stream', 'message_stream', 'type', 'plaintext']
const FORM = 'postmark+smtp://TOKEN@default?stream=outbound'

/**
 * Reads a connection URL into the options it stands for; errors never quote it, since it holds the token.
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
    throw refuse('has a plaintext that is not 1 or 0')
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
  if (text === '') throw refuse('is empty', UNSET_VARIABLE)
  let url: URL
  try {
    url = new URL(text)
  } catch {
    throw refuse('cannot be read')
  }
  if (url.protocol !== 'postmark+smtp:') throw refuse(`begins with ${url.protocol}//`)
  if (url.hostname === '') throw refuse('has no host')
  if (url.pathname !== '' && url.pathname !== '/') throw refuse('has a path')
  return url
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    throw refuse('has a % that is not an escape')
  }
}

function readParameters(parameters: URLSearchParams): ReadonlyMap<string, string> {
  const found = new Map<string, string>()
  for (const [name, value] of parameters) {
    if (!PARAMETERS.includes(name)) {
      const near = closeMatch(name, PARAMETERS)
      throw refuse(
        `has the unknown parameter ${JSON.stringify(name)}`,
        near ? `Did you mean "${near}"?` : `Known: ${PARAMETERS.join(', ')}.`,
      )
    }
    if (found.has(name)) throw refuse(`has ${name} twice`)
    found.set(name, value)
  }
  return found
}

function refuse(found: string, hint = `Use the form ${FORM}.`): PostmarkError {
  return new PostmarkError('ERR_POSTMARK_URL', `The connection URL ${found}. ${hint}`, { hint })
}
