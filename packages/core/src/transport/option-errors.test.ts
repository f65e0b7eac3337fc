import { describe, expect, it } from 'vitest'
import type { PostmarkError } from '../problems/error.js'
import { createPostmarkTransport } from './create-transport.js'

const TOKEN = '6f1c2b1e-8a34-4d3a-9a60-2f7f6c1f0a11'

function refusalOf(options: unknown): PostmarkError {
  try {
    createPostmarkTransport(options as never)
  } catch (error) {
    return error as PostmarkError
  }
  throw new Error('The options were taken.')
}

describe('the options of a transport', () => {
  it.each<[string, object, string]>([
    [
      'a pool that is switched on',
      { pool: true },
      'Option pool is true; it must be an object such as { maxConnections: 5 }.',
    ],
    [
      'a stream that is only a type',
      { streams: { news: 'broadcasts' } },
      'Option streams.news is "broadcasts"; it must be an object such as { type: "broadcasts" }.',
    ],
    [
      'an unknown option of a stream',
      { streams: { news: { typ: 'broadcasts' } } },
      'Unknown option "streams.news.typ". Did you mean "type"?',
    ],
    ['a number of retries', { retry: 3 }, 'Option retry is 3; it must be an object such as { attempts: 1 }.'],
    ['TLS that is switched on', { tls: true }, 'Option tls is true; it must be an object such as { ca }.'],
  ])('name the place of %s', (_title, options, message) => {
    expect(refusalOf({ serverToken: TOKEN, ...options }).message).toContain(message)
  })

  it('are refused all at once, each with its cure, where they are those of a Nodemailer transport', () => {
    const options = { host: 'smtp.postmarkapp.com', port: 587, auth: { user: TOKEN, pass: TOKEN } }
    expect(refusalOf({ ...options, service: 'postmark', maxConnections: 5 }).message).toBe(
      [
        '4 unknown options:',
        '  - port: Use `ports: [587]`.',
        '  - auth: Use `serverToken`, or `smtpToken: { accessKey, secretKey }`.',
        '  - service: Postmark’s hosts are the default. Remove `service`.',
        '  - maxConnections: Use `pool: { maxConnections }`.',
      ].join('\n'),
    )
  })

  it('name the variable that a missing URL most often comes from', () => {
    const error = refusalOf({ url: undefined })
    expect(error.code).toBe('ERR_POSTMARK_URL')
    expect(error.message).toBe(
      'Option url is undefined; it must be a string such as postmark+smtp://TOKEN@default?stream=outbound. ' +
        'If it comes from an environment variable such as POSTMARK_URL, check that the variable is set.',
    )
  })
})

describe('the options of a transport never quote a token in the wrong place', () => {
  it.each<[string, unknown]>([
    ['credentials', { credentials: TOKEN }],
    ['authMethod', { serverToken: TOKEN, authMethod: TOKEN }],
    ['host', { serverToken: TOKEN, host: 5, [TOKEN]: true }],
    ['an unknown key', { [TOKEN]: true }],
    ['a stream', { serverToken: TOKEN, streams: { [TOKEN]: {} } }],
    ['the options of a stream', { serverToken: TOKEN, streams: { news: TOKEN } }],
    ['the credentials of a stream', { serverToken: TOKEN, streams: { news: { credentials: TOKEN } } }],
    ['the default stream', { serverToken: TOKEN, messageStream: TOKEN }],
    [
      'the default stream beside an SMTP token',
      { smtpToken: { accessKey: 'PM-T-a-b', secretKey: 's' }, messageStream: TOKEN },
    ],
    ['default fields', { serverToken: TOKEN, defaults: { trackLinks: TOKEN, [TOKEN]: 1 } }],
    ['preflight', { serverToken: TOKEN, preflight: TOKEN }],
    ['pool', { serverToken: TOKEN, pool: TOKEN }],
    ['the name of a URL parameter', { url: `postmark+smtp://t@default?${TOKEN}` }],
    ['the stream of a URL', { url: `postmark+smtp://t@default?stream=${TOKEN}` }],
    ['the type of a URL', { url: `postmark+smtp://t@default?stream=news&type=${TOKEN}` }],
    ['the protocol of a URL', { url: `a${TOKEN}:${TOKEN}@default` }],
    ['the whole of a URL', { url: TOKEN }],
  ])('%s', (_title, options) => {
    const { message, hint, problems, stack } = refusalOf(options)
    expect(JSON.stringify({ message, hint, problems, stack })).not.toContain(TOKEN)
  })
})
