import { describe, expect, it } from 'vitest'
import { readAccessKey, toLogin } from './credentials.js'

const TOKEN = '6f1c2b1e-8a34-4d3a-9a60-2f7f6c1f0a11'
const OTHER = '7a1c2b1e-8a34-4d3a-9a60-2f7f6c1f0a22'

describe('toLogin', () => {
  it('uses a server token as user name and password', () => {
    expect(toLogin({ serverToken: TOKEN })).toEqual({ user: TOKEN, pass: TOKEN })
  })

  it('uses both halves of an SMTP token', () => {
    const smtpToken = { accessKey: 'PM-T-outbound-abc', secretKey: 'secret' }
    expect(toLogin({ smtpToken })).toEqual({ user: 'PM-T-outbound-abc', pass: 'secret' })
  })

  it.each([
    ['nothing', {}, 'missing'],
    ['Two kinds', { serverToken: TOKEN, smtpToken: { accessKey: 'a', secretKey: 'b' } }, 'Two kinds'],
    [
      'an undefined environment variable',
      { serverToken: undefined },
      'environment variable, check that the variable is set',
    ],
    ['a number', { serverToken: 7 }, 'not a string'],
    ['an empty text', { serverToken: '' }, 'empty'],
    ['a line break at the end', { serverToken: `${TOKEN}\n` }, 'white space'],
    ['a placeholder', { serverToken: 'your-server-token' }, 'placeholder'],
    ['the placeholder of the README', { serverToken: 'SERVER-API-TOKEN' }, 'placeholder'],
    ['the placeholder of a shell script', { serverToken: 'POSTMARK_SERVER_TOKEN' }, 'placeholder'],
    ['a template that was not filled', { serverToken: '$' + '{TOKEN}' }, 'placeholder'],
    ['characters outside ASCII', { serverToken: `${TOKEN}\u200b` }, 'non-ASCII characters'],
    ['an access key as server token', { serverToken: 'PM-T-outbound-abc' }, 'access key of an SMTP token'],
    [
      'an access key as its own secret',
      { smtpToken: { accessKey: 'PM-T-a-b', secretKey: 'PM-T-a-b' } },
      'access key as its secret key',
    ],
    ['two different UUIDs', { smtpToken: { accessKey: TOKEN, secretKey: OTHER } }, 'two different UUIDs'],
    ['half an SMTP token', { smtpToken: { accessKey: 'PM-T-a-b' } }, 'secretKey is not a string'],
  ])('refuses %s and never quotes it', (_what, options, message) => {
    let error: unknown
    try {
      toLogin(options as object)
    } catch (thrown) {
      error = thrown
    }
    expect(error).toMatchObject({
      code: 'ERR_POSTMARK_CREDENTIALS',
      message: expect.stringContaining(message),
    })
    expect(String(error)).not.toContain(TOKEN)
  })
})

describe('readAccessKey', () => {
  it.each([
    ['a transactional token', 'PM-T-outbound-abc', { type: 'transactional', stream: 'outbound' }],
    ['a broadcasts token', 'PM-B-weekly-news-abc', { type: 'broadcasts', stream: 'weekly-news' }],
    ['a token without a stream', 'PM-B-abc', { type: 'broadcasts' }],
    ['a server token', TOKEN, {}],
  ])('reads %s', (_what, key, told) => {
    expect(readAccessKey(key)).toEqual(told)
  })
})
