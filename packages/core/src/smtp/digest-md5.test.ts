import { describe, expect, it } from 'vitest'
import { answerDigest } from './digest-md5.js'

/** The example of RFC 2831 §4. */
const CHALLENGE =
  'realm="elwood.innosoft.com",nonce="OA6MG9tEQGm2hh",qop="auth",algorithm=md5-sess,charset=utf-8'
const LOGIN = { user: 'chris', pass: 'secret', uri: 'imap/elwood.innosoft.com' }

describe('answerDigest', () => {
  it('answers as the example of RFC 2831 does', () => {
    expect(answerDigest(CHALLENGE, LOGIN, 'OA6MHXh6VqTrRk').response).toBe(
      'charset=utf-8,username="chris",realm="elwood.innosoft.com",nonce="OA6MG9tEQGm2hh",nc=00000001,' +
        'cnonce="OA6MHXh6VqTrRk",digest-uri="imap/elwood.innosoft.com",response=d388dad90d4bbd760a152321f2143af7,qop=auth',
    )
  })

  it.each([
    ['rspauth=ea40f60335c427b5527b84dbabcdfffd', true],
    ['rspauth=ea40f60335c427b5527b84dbabcdfffe', false],
    ['rspauth=', false],
    ['', false],
  ])('takes %j of the server for proof: %s', (text, proof) => {
    expect(answerDigest(CHALLENGE, LOGIN, 'OA6MHXh6VqTrRk').verify(text)).toBe(proof)
  })

  it('quotes what needs it, and reads quoted pairs', () => {
    const { response } = answerDigest('nonce="a\\"b",qop="auth-int,auth"', { ...LOGIN, user: 'a"\\b' }, 'c')
    expect(response).toContain('username="a\\"\\\\b"')
    expect(response).toContain('nonce="a\\"b"')
  })

  it.each(['', 'realm="x"', 'nonce="x",qop="auth-conf"'])('refuses the challenge %j', (challenge) => {
    expect(() => answerDigest(challenge, LOGIN)).toThrow('cannot be answered')
  })
})
