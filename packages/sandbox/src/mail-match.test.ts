import { toHeaderEntries } from '@postmark-smtp/core'
import { expect, it } from 'vitest'
import { type MailMatch, toPredicate } from './mail-match.js'
import { toSandboxMail } from './sandbox-mail.js'

const lines = toHeaderEntries({ tag: 'welcome', metadata: { customerId: '7', 'order-id': '42' } })
const head = [
  'From: Shop <shop@x.org>',
  'To: ann@x.org',
  'Subject: Hello',
  ...lines.map((e) => `${e.key}: ${e.value}`),
]
const envelope = { from: 'bounce@x.org', to: ['ann@x.org', 'hidden@x.org'] }
const mail = toSandboxMail(Buffer.from(`${head.join('\r\n')}\r\n\r\nbody\r\n`), envelope, true)

it.each<[string, boolean, MailMatch]>([
  ['nothing', true, {}],
  ['the sender of the header', true, { from: 'SHOP@x.org' }],
  ['the sender of the envelope', false, { from: 'bounce@x.org' }],
  ['a Bcc recipient', true, { to: 'hidden@x.org' }],
  ['another recipient', false, { to: 'eve@x.org' }],
  ['the whole subject', true, { subject: 'Hello' }],
  ['part of the subject', false, { subject: 'Hell' }],
  ['a pattern with state', true, { subject: /hell/gi }],
  ['a tag', true, { postmark: { tag: 'welcome' } }],
  ['another tag', false, { postmark: { tag: 'receipt' } }],
  ['no stream', true, { postmark: { messageStream: null } }],
  ['no tag', false, { postmark: { tag: null } }],
  ['one key of metadata, as number', true, { postmark: { metadata: { 'order-id': 42 } } }],
  ['a key in another case', true, { postmark: { metadata: { CUSTOMERID: '7' } } }],
  ['another value', false, { postmark: { metadata: { customerId: '8' } } }],
  ['the absence of a key', true, { postmark: { metadata: { other: null } } }],
  ['no metadata', false, { postmark: { metadata: null } }],
  ['two demands of which one fails', false, { to: 'ann@x.org', subject: 'Bye' }],
])('matches %s: %s', (_, expected, match) => {
  expect(toPredicate(match)(mail)).toBe(expected)
  expect(toPredicate(match)(mail)).toBe(expected)
})
