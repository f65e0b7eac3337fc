import { describe, expect, it } from 'vitest'
import { parseTransportUrl } from './transport-url.js'

const TOKEN = '6f1c2b1e-8a34-4d3a-9a60-2f7f6c1f0a11'

describe('parseTransportUrl', () => {
  it.each([
    ['a token', `postmark+smtp://${TOKEN}@default`, { serverToken: TOKEN }],
    [
      'a stream',
      `postmark+smtp://${TOKEN}@default?stream=outbound`,
      { serverToken: TOKEN, messageStream: 'outbound' },
    ],
    [
      'a token given twice',
      `postmark+smtp://${TOKEN}:${TOKEN}@default?message_stream=news`,
      { serverToken: TOKEN, messageStream: 'news' },
    ],
    [
      'an SMTP token, its stream and its type',
      'postmark+smtp://PM-B-news-abc:s%2Fcret@default?stream=news&type=broadcasts',
      {
        smtpToken: { accessKey: 'PM-B-news-abc', secretKey: 's/cret' },
        messageStream: 'news',
        streams: { news: { type: 'broadcasts' } },
      },
    ],
    [
      'plaintext to this machine',
      `postmark+smtp://${TOKEN}@127.0.0.1:2525?plaintext=1`,
      { serverToken: TOKEN, host: '127.0.0.1', ports: [2525], allowPlaintext: true },
    ],
    [
      'an IPv6 address',
      `postmark+smtp://${TOKEN}@[::1]:2525`,
      { serverToken: TOKEN, host: '::1', ports: [2525] },
    ],
  ])('reads %s', (_what, url, options) => {
    expect(parseTransportUrl(url)).toEqual(options)
  })

  it.each([
    ['smtp://TOKEN@default', 'starts with smtp://'],
    ['postmark+smtp://default', 'has no token'],
    ['postmark+smtp://TOKEN@', 'is not valid'],
    ['TOKEN', 'is not valid'],
    ['postmark+smtp://TOKEN@default/path', 'has a path'],
    ['postmark+smtp://TOKEN@default?steam=a', 'Did you mean "stream"?'],
    ['postmark+smtp://TOKEN@default?stream=a&stream=b', 'has stream twice'],
    ['postmark+smtp://TOKEN@default?type=broadcasts', 'has a type but no stream'],
    ['postmark+smtp://TOKEN@default?plaintext=yes', 'has a value of plaintext other than 1 or 0'],
    ['postmark+smtp://TO%KEN@default', 'has an invalid percent-encoding'],
  ])('refuses %s without quoting it', (url, message) => {
    let error: unknown
    try {
      parseTransportUrl(url)
    } catch (thrown) {
      error = thrown
    }
    expect(error).toMatchObject({ code: 'ERR_POSTMARK_URL', message: expect.stringContaining(message) })
    expect((error as Error).message.replaceAll('//TOKEN@default', '')).not.toContain('TO%KEN')
  })
})
