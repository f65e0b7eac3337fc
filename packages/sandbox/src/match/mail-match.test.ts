import { toHeaderEntries } from '@postmark-smtp/core'
import { expect, it } from 'vitest'
import { readMail, toSandboxMail } from '../mail/sandbox-mail.js'
import { type MailMatch, toPredicate } from './mail-match.js'

const lines = toHeaderEntries({ tag: 'welcome', metadata: { customerId: '7', 'order-id': '42' } })
const head = [
  'From: Shop <shop@x.org>',
  'To: ann@x.org',
  'Subject: Hello',
  ...lines.map((e) => `${e.key}: ${e.value}`),
]
const envelope = { from: 'bounce@x.org', to: ['ann@x.org', 'hidden@x.org'] }
const raw = Buffer.from(`${head.join('\r\n')}\r\n\r\nbody\r\n`)
const judgement = { stream: 'outbound', verdict: { outcome: 'sent', problems: [], notes: [] } } as const
const arrival = { secure: true, hostType: undefined, tokenStream: undefined }
const mail = toSandboxMail(readMail(raw, envelope), judgement, arrival, new Date())

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
  ['a tag by its short name', true, { tag: 'welcome' }],
  ['no tag by its short name', false, { tag: null }],
  ['a key of metadata by its short name', true, { metadata: { 'ORDER-ID': 42 } }],
  ['no metadata by its short name', false, { metadata: null }],
  ['the stream of an email that names none', true, { stream: 'outbound' }],
  ['another stream', false, { stream: 'broadcast' }],
  ['a pattern for a recipient', true, { to: /^hidden@/ }],
  ['a matcher for a recipient', true, { to: expect.stringContaining('hidden') }],
  ['a matcher for the sender', false, { from: expect.stringContaining('hidden') }],
  ['a matcher for a tag', true, { tag: expect.stringMatching(/^wel/) }],
  ['a matcher for a tag that is not there', false, { postmark: { trackOpens: expect.anything() } }],
  ['a matcher for a value of metadata', true, { metadata: { 'order-id': expect.any(String) } }],
  ['a matcher for the metadata', true, { metadata: expect.objectContaining({ customerId: '7' }) }],
  ['two demands of which one fails', false, { to: 'ann@x.org', subject: 'Bye' }],
])('matches %s: %s', (_, expected, match) => {
  expect(toPredicate(match)(mail)).toBe(expected)
  expect(toPredicate(match)(mail)).toBe(expected)
})
