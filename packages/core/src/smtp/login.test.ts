import { expect, it } from 'vitest'
import { AUTH_METHODS, type AuthMethod, chooseMechanism, logIn } from './login.js'

const TOKEN = '6f1c2b1e-8a34-4d3a-9a60-2f7f6c1f0a11'

it.each<[string, boolean, AuthMethod | undefined, AuthMethod]>([
  ['PLAIN LOGIN CRAM-MD5 DIGEST-MD5', true, undefined, 'PLAIN'],
  ['DIGEST-MD5 CRAM-MD5 LOGIN', true, undefined, 'LOGIN'],
  ['DIGEST-MD5 CRAM-MD5', true, undefined, 'CRAM-MD5'],
  ['DIGEST-MD5', true, undefined, 'DIGEST-MD5'],
  ['PLAIN LOGIN CRAM-MD5 DIGEST-MD5', false, undefined, 'DIGEST-MD5'],
  ['PLAIN LOGIN CRAM-MD5', false, undefined, 'CRAM-MD5'],
  ['PLAIN LOGIN CRAM-MD5', true, 'CRAM-MD5', 'CRAM-MD5'],
])('chooses of %j, with TLS: %s, wanted: %s, %s', (offered, tls, wanted, method) => {
  expect(chooseMechanism(offered.split(' '), tls, wanted)).toEqual({ method })
})

it.each<[string[], boolean, AuthMethod | undefined, string]>([
  [
    [],
    true,
    undefined,
    'The server offers no mechanism; with TLS this client uses PLAIN or LOGIN or CRAM-MD5 or DIGEST-MD5',
  ],
  [
    ['PLAIN', 'LOGIN'],
    false,
    undefined,
    'The server offers PLAIN, LOGIN; without TLS this client uses DIGEST-MD5 or CRAM-MD5',
  ],
  [['PLAIN'], false, 'PLAIN', 'The server offers PLAIN; without TLS this client uses DIGEST-MD5 or CRAM-MD5'],
  [['PLAIN'], true, 'LOGIN', 'The server offers PLAIN; with TLS this client uses LOGIN'],
])('chooses none of %j, with TLS: %s, wanted: %s', (offered, tls, wanted, refusal) => {
  expect(chooseMechanism(offered, tls, wanted)).toEqual({ refusal: `${refusal}. No credential was sent` })
})

it.each(AUTH_METHODS)('gives a log nothing of what %s sends', async (method) => {
  const lines: string[] = []
  const notes: string[] = []
  const challenge = method === 'DIGEST-MD5' ? 'nonce="n",qop="auth"' : '<1@x>'
  const codes =
    method === 'PLAIN'
      ? [235]
      : method === 'CRAM-MD5'
        ? [334, 235]
        : method === 'LOGIN'
          ? [334, 334, 235]
          : [334, 535]
  const reply = await logIn(method, { user: TOKEN, pass: TOKEN }, 'x', (line, note) => {
    lines.push(line)
    notes.push(note)
    return Promise.resolve({ code: codes.shift()!, lines: [btoa(challenge)], response: '' })
  })
  expect([reply.code, codes]).toEqual([method === 'DIGEST-MD5' ? 535 : 235, []])
  const secrets = lines.map((line) => line.split(' ').at(-1)!).filter((part) => part.length > 20)
  expect(secrets.length).toBeGreaterThan(0)
  for (const secret of secrets) expect(notes.join('\n')).not.toContain(secret)
})

it('stops at the first reply that is no further challenge', async () => {
  for (const method of ['LOGIN', 'CRAM-MD5', 'DIGEST-MD5'] as const) {
    let asked = 0
    const reply = await logIn(method, { user: TOKEN, pass: TOKEN }, 'x', () => {
      asked++
      return Promise.resolve({ code: 504, lines: ['no'], response: '504 no' })
    })
    expect([reply.code, asked]).toEqual([504, 1])
  }
})
