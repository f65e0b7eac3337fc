import { describe, expect, it } from 'vitest'
import { explainInMessage, explainSmtpError, SMTP_FAILURES } from './explain-smtp-error.js'

const error = (message: string, fields: object = {}) => Object.assign(new Error(message), fields)

/** Failures as Nodemailer and Node word them. */
const SEEN: readonly (readonly [string, Error])[] = [
  [
    'account-token',
    error('Login refused (PLAIN): ServerAPI key required', { code: 'EAUTH', responseCode: 535 }),
  ],
  [
    'user-is-not-password',
    error('Invalid login: 535 username and password must be the same', { code: 'EAUTH', responseCode: 535 }),
  ],
  [
    'no-safe-mechanism',
    error('The server offers XOAUTH2; with TLS it takes PLAIN. No credential was sent', { code: 'EAUTH' }),
  ],
  [
    'login-refused',
    error('Login refused (PLAIN): 535 5.7.8 Error: authentication failed: ', {
      code: 'EAUTH',
      responseCode: 535,
    }),
  ],
  [
    'starttls-missing',
    error('Error upgrading connection with STARTTLS: 502 no', { code: 'ETLS', responseCode: 502 }),
  ],
  [
    'certificate',
    error('self-signed certificate', { code: 'ESOCKET', originalCode: 'DEPTH_ZERO_SELF_SIGNED_CERT' }),
  ],
  ['certificate', error('certificate has expired', { code: 'CERT_HAS_EXPIRED' })],
  ['implicit-tls', error('write EPROTO ssl3_get_record:wrong version number', { code: 'ESOCKET' })],
  ['sender-not-verified', error("422 The from address you've used was not found in your domains")],
  ['wrong-host-for-stream', error('This message stream cannot be used here', { responseCode: 550 })],
  ['host-not-found', error('getaddrinfo ENOTFOUND smtp.example.com', { code: 'EDNS' })],
  ['port-blocked', error('No usable port on smtp.postmarkapp.com', { code: 'ETIMEDOUT', command: 'CONN' })],
  [
    'nothing-listens',
    error('No usable port on 127.0.0.1 (2525: connect ECONNREFUSED 127.0.0.1:2525)', {
      code: 'ECONNREFUSED',
    }),
  ],
  ['connection-refused', error('connect ECONNREFUSED 192.0.2.1:2525', { code: 'ECONNREFUSED' })],
  ['connection-refused', error('connect ECONNREFUSED 192.0.2.1:2525', { code: 'ESOCKET', command: 'CONN' })],
  // What only the transport can tell from the phase: it marks its errors.
  ...[
    'no-smtp-server',
    'credentials-late',
    'login-timeout',
    'envelope-timeout',
    'claim-over',
    'final-timeout',
  ].map(
    (explanation) =>
      [
        explanation,
        error('took more than 1 s', {
          code: 'ETIMEDOUT',
          command: 'CONN',
          phase: 'login',
          outcome: 'not-sent',
          explanation,
        }),
      ] as const,
  ),
]

describe('explainSmtpError', () => {
  it.each(SEEN)('finds %s, with a reason and a cure', (anchor, failure) => {
    const { reason, cure } = SMTP_FAILURES[anchor]!
    expect(explainSmtpError(failure)).toEqual({ anchor, reason, cure, cause: failure })
  })

  it('has an example here for each failure that it knows', () => {
    expect(new Set(SEEN.map(([anchor]) => anchor))).toEqual(new Set(Object.keys(SMTP_FAILURES)))
  })

  it.each([[undefined], ['text'], [error('452 4.2.2 mailbox full', { responseCode: 452 })]])(
    'has nothing to add to %s',
    (failure) => {
      expect(explainSmtpError(failure)).toBeUndefined()
    },
  )
})

describe('explainInMessage', () => {
  it('adds reason and cure to the message, and to the stack, which a log shows', () => {
    const failure = error('Login refused (PLAIN): 535 5.7.8 Error: authentication failed: ', {
      code: 'EAUTH',
      responseCode: 535,
    })
    const { reason, cure } = SMTP_FAILURES['login-refused']!
    const explained = explainInMessage(failure)
    expect(explained).toBe(failure)
    expect(explained.message).toBe(
      `Login refused (PLAIN): 535 5.7.8 Error: authentication failed. ${reason} ${cure}`,
    )
    expect(explained.stack).toContain(`${explained.message}\n    at `)
    expect(explained).toMatchObject({ hint: cure })
  })

  it('leaves an error alone that it cannot explain', () => {
    const failure = error('452 4.2.2 mailbox full', { responseCode: 452 })
    expect(explainInMessage(failure).message).toBe('452 4.2.2 mailbox full')
  })
})
