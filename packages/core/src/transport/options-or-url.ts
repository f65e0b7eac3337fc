import { describe, isRecord } from '../problems/describe.js'
import { PostmarkError, UNSET_URL } from '../problems/error.js'
import { parseTransportUrl, URL_FORM } from './transport-url.js'

/**
 * The options, with a URL replaced by the options that it represents.
 * @throws PostmarkError ERR_POSTMARK_OPTIONS, _URL
 */
export function readOptionsOrUrl(input: unknown): object {
  if (typeof input === 'string') return parseTransportUrl(input)
  if (!isRecord(input))
    throw new PostmarkError(
      'ERR_POSTMARK_OPTIONS',
      `The options are missing: pass a URL or an object. ${UNSET_URL}`,
    )
  if (!('url' in input)) return input
  const { url, ...options } = input
  // The value is not quoted because it may contain the token.
  if (typeof url !== 'string')
    throw new PostmarkError(
      'ERR_POSTMARK_URL',
      `Option url is ${describe(url)}; it must be a string such as ${URL_FORM}. ${UNSET_URL}`,
    )
  const { streams, ...read } = parseTransportUrl(url)
  const given = Object.keys(options).filter((key) => options[key] !== undefined)
  const twice = given.find((key) => key in read || CREDENTIALS.includes(key))
  if (twice) {
    throw new PostmarkError(
      'ERR_POSTMARK_OPTIONS',
      `Option ${twice} is given together with url, which already sets it. Remove one of them.`,
    )
  }
  return { ...options, ...read, ...mergeStreams(streams, options.streams) }
}

const CREDENTIALS = ['serverToken', 'smtpToken', 'credentials']

/** Merges the stream of the URL, with its type, into the option `streams`. */
function mergeStreams(fromUrl: unknown, given: unknown): { readonly streams?: unknown } {
  if (!isRecord(fromUrl)) return {}
  if (!isRecord(given)) return { streams: given ?? fromUrl }
  const merged = Object.entries(fromUrl).map(([id, type]) => [
    id,
    { ...(type as object), ...(given[id] as object) },
  ])
  return { streams: { ...given, ...Object.fromEntries(merged) } }
}
