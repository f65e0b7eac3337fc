import { expect, it } from 'vitest'
import { deliveryOutcome } from './delivery-outcome.js'
import { PostmarkError } from './error.js'

const error = (fields: object, message = 'failed') => Object.assign(new Error(message), fields)

it.each([
  ['what our transport says', error({ outcome: 'unknown', responseCode: 550 }), 'unknown'],
  ['preflight', new PostmarkError('ERR_POSTMARK_PREFLIGHT', 'no'), 'not-sent'],
  ['a reply of 4xx', error({ code: 'EMESSAGE', responseCode: 451 }), 'deferred'],
  ['a reply of 5xx', error({ code: 'EENVELOPE', responseCode: 550 }), 'rejected'],
  ['a refused login', error({ code: 'EAUTH', responseCode: 535 }), 'not-sent'],
  ['a login that was deferred', error({ code: 'EAUTH', responseCode: 454 }), 'deferred'],
  ['a refused connection', error({ code: 'ESOCKET', syscall: 'connect' }), 'not-sent'],
  ['an unknown host', error({ code: 'EDNS' }), 'not-sent'],
  ['a missing STARTTLS', error({ code: 'ETLS', responseCode: 502 }), 'not-sent'],
  ['a certificate', error({ code: 'ESOCKET', originalCode: 'CERT_HAS_EXPIRED' }), 'not-sent'],
  ['a lost connection', error({ code: 'ECONNECTION' }), 'unknown'],
  [
    'a lost connection with the fragment of a reply',
    error({ code: 'ECONNECTION', responseCode: 550 }),
    'unknown',
  ],
  ['an outcome that is none', error({ outcome: 'fine' }), 'unknown'],
  ['nothing', undefined, 'unknown'],
])('judges %s', (_what, failure, outcome) => {
  expect(deliveryOutcome(failure)).toBe(outcome)
})
