import { describe, expect, it } from 'vitest'
import { createWebhookHandler, type InboundEvent, parseWebhook } from './index.js'

const ID = '5f0c2d1e-8a47-4b39-b1d6-7e9f3a2c4d50'
const DATE = 'Thu, 12 Feb 2026 09:30:00 +0100'
/** As Postmark posts it where the server does not include the raw mail: whole addresses in the Full fields. */
const parsed = {
  FromFull: { Email: 'ann+news@example.com', Name: 'Ann', MailboxHash: 'news' },
  ToFull: [
    { Email: 'hash@inbound.example.com', Name: 'Shop', MailboxHash: '' },
    { Email: 'bob@example.com', Name: '', MailboxHash: '' },
  ],
  CcFull: [],
  BccFull: [],
  ReplyTo: 'ann@example.com',
  Subject: 'Where is it?',
  MessageID: ID,
  Date: DATE,
  TextBody: 'Hello',
  Tag: '',
  Headers: [
    { Name: 'Return-Path', Value: '<ann+news@example.com>' },
    {
      Name: 'Received',
      Value: 'from mx.example.com by inbound.example.net with ESMTPS; Thu, 12 Feb 2026 08:31:07 +0000',
    },
    { Name: 'Received', Value: 'by mx.example.com; Thu, 1 Jan 1970 00:00:00 +0000 (GMT)' },
  ],
}
/** As where the raw email is all that is included. */
const source = [
  'Received: from mx.example.com by inbound.example.net',
  '\twith ESMTPS; Thu, 12 Feb 2026 08:31:07 +0000',
  'Received: by mx.example.com; Thu, 1 Jan 1970 00:00:00 +0000',
  'From: "Ann <not@her> B." <ann+news@example.com>',
  'To: Shop <hash@inbound.example.com>, bob@example.com',
  'Subject: =?utf-8?Q?Where_is_the_caf?= =?utf-8?Q?=C3=A9=3F?=',
  `Date: ${DATE}`,
  '',
  'From: an email that this one quotes',
  'Subject: quoted',
].join('\n')
const raw = { RawEmail: source, OriginalRecipient: 'hash@inbound.example.com', MessageID: ID, Tag: '' }

const read = (input: object): InboundEvent => {
  const event = parseWebhook(JSON.stringify(input))
  expect(event).toMatchObject({ kind: 'inbound', recordType: 'Inbound' })
  return event as InboundEvent
}
const expected = {
  messageId: ID,
  from: 'ann+news@example.com',
  recipient: 'hash@inbound.example.com',
  at: new Date('2026-02-12T08:30:00Z'),
  receivedAt: new Date('2026-02-12T08:31:07Z'),
}

describe('inbound email', () => {
  it('is read from its Full fields where they are all there is', () => {
    expect(read(parsed)).toMatchObject({ ...expected, subject: 'Where is it?' })
  })

  it('is read from the raw email where there is no FromFull', () => {
    expect(read(raw)).toMatchObject({ ...expected, subject: 'Where is the café?' })
  })

  it('is read from the raw email with CRLF as well', () => {
    expect(read({ ...raw, RawEmail: source.replaceAll('\n', '\r\n') })).toMatchObject(expected)
  })

  it('is read from Postmark’s fields where both are there', () => {
    const both = { ...parsed, RawEmail: source.replaceAll('ann', 'eve').replaceAll('2026', '2021') }
    expect(read(both)).toMatchObject({ ...expected, subject: 'Where is it?' })
  })

  it('has the sender’s own date in `at`, however wrong, and the time of receipt beside it', () => {
    const { at, receivedAt } = read({ ...parsed, Date: 'Fri, 1 Jan 1999 00:00:00 +0000' })
    expect([at, receivedAt]).toEqual([new Date('1999-01-01T00:00:00Z'), expected.receivedAt])
  })

  it.each<[string, object, Partial<InboundEvent>]>([
    ['a From with a name', { From: 'Ann <ann@example.com>' }, { from: 'ann@example.com' }],
    ['a From that is an address', { From: 'ann@example.com' }, { from: 'ann@example.com' }],
    ['a quoted mailbox', { From: '"ann b"@example.com' }, { from: '"ann b"@example.com' }],
    ['a From that is none', { From: 'Ann' }, { from: undefined }],
    ['several in To', { To: 'Shop <a@example.com>, b@example.com' }, { recipient: 'a@example.com' }],
    ['nobody in To', { To: 'undisclosed-recipients:;' }, { recipient: undefined }],
    ['no line of a server', { Headers: [] }, { receivedAt: undefined }],
    [
      'a line of a server without a date',
      { Headers: [{ Name: 'Received', Value: 'from mx.example.com by inbound.example.net' }] },
      { receivedAt: undefined },
    ],
    [
      'a charset that is not known',
      { RawEmail: 'Subject: =?x-odd?B?SGk=?=\n\n' },
      { subject: '=?x-odd?B?SGk=?=' },
    ],
    ['base64', { RawEmail: 'Subject: =?ISO-8859-1*de?b?R3L832U=?=\n\n' }, { subject: 'Grüße' }],
    ['an empty raw email', { RawEmail: '' }, { from: undefined, subject: undefined, at: undefined }],
  ])('tolerates %s', (_what, fields, wanted) => {
    expect(read({ OriginalRecipient: null, ...fields })).toMatchObject(wanted)
  })

  it.each<[string, object]>([
    ['FromFull', { FromFull: null }],
    ['Headers', { Headers: [null, 7, { Name: 5, Value: {} }] }],
    ['ToFull', { ToFull: 'x' }],
    ['an empty ToFull', { ToFull: [] }],
    ['a person', { FromFull: { Email: 5 }, ToFull: [null] }],
    ['RawEmail', { RawEmail: { a: 1 } }],
  ])('tolerates odd content in %s', (_what, fields) => {
    const event = read({ RecordType: 'Inbound', ...fields })
    expect([event.from, event.recipient, event.receivedAt]).toEqual([undefined, undefined, undefined])
  })

  it('has the time of the post in a handler where no server has written one', async () => {
    const events: InboundEvent[] = []
    const handle = createWebhookHandler({
      auth: { header: { name: 'x-secret', value: 'inbound-3c5e7a' } },
      on: { inbound: (event) => events.push(event) },
    })
    const post = (input: object) =>
      handle(
        new Request('http://localhost', {
          method: 'POST',
          headers: { 'x-secret': 'inbound-3c5e7a' },
          body: JSON.stringify(input),
        }),
      )
    const before = Date.now()
    await post({ ...parsed, Headers: [] })
    await post({ ...parsed, MessageID: 'another' })
    expect(events[0]?.receivedAt?.getTime()).toBeGreaterThanOrEqual(before)
    expect(events[0]?.at).toEqual(expected.at)
    expect(events[1]?.receivedAt).toEqual(expected.receivedAt)
  })
})
