import { describe, expect, it } from 'vitest'
import { parseWebhook } from './index.js'

/** Shapes that the suites of django-anymail and of Symfony's bridge feed their parsers; the content is our own. */
const ID = '0c9e7a52-3b1d-4f68-8e24-6d5f1a7b9c30'
const NO_MAIL = '00000000-0000-0000-0000-000000000000'
const agent = {
  Client: { Name: 'Thunderbird 128', Company: 'Mozilla', Family: 'Thunderbird' },
  OS: { Name: 'unknown', Company: 'unknown', Family: 'unknown' },
  UserAgent: 'Mozilla/5.0 (X11; Linux x86_64)',
}
const bounce = {
  ID: 301_442,
  MessageID: ID,
  ServerID: 51,
  Email: 'ann@example.com',
  From: 'shop@example.com',
  BouncedAt: '2026-02-12T09:30:15.1234567-05:00',
  DumpAvailable: true,
  Subject: 'A test',
}
const change = {
  RecordType: 'SubscriptionChange',
  MessageID: ID,
  ServerID: 51,
  MessageStream: 'outbound',
  ChangedAt: '2026-02-12T09:30:15Z',
  Recipient: 'ann@example.com',
  Origin: 'Recipient',
  SuppressSending: true,
  Tag: 'welcome',
  Metadata: { example: 'value', example_2: 'value' },
}

describe('payloads in the shape of django-anymail’s tests', () => {
  it.each<[string, object, object]>([
    [
      'a bounce without stream, tag and metadata',
      { ...bounce, RecordType: 'Bounce', Type: 'HardBounce', TypeCode: 1, Inactive: true, CanActivate: true },
      {
        kind: 'bounced',
        severity: 'hard',
        bounceId: 301_442,
        messageStream: undefined,
        metadata: {},
        at: new Date('2026-02-12T14:30:15.123Z'),
      },
    ],
    [
      'a delivery whose server is ServerId',
      {
        RecordType: 'Delivery',
        ServerId: 51,
        MessageID: ID,
        Recipient: 'ann@example.com',
        Tag: 'welcome',
        Metadata: { cohort: '2026-02-A', userid: '12345' },
        DeliveredAt: '2026-02-12T09:30:15.1234567-05:00',
        Details: 'taken',
      },
      { kind: 'delivered', serverId: 51, tag: 'welcome', metadata: { cohort: '2026-02-A', userid: '12345' } },
    ],
    [
      'an open with an empty Geo',
      {
        ...agent,
        RecordType: 'Open',
        FirstOpen: true,
        Platform: 'Unknown',
        ReadSeconds: 0,
        Geo: {},
        MessageID: ID,
        ReceivedAt: '2026-02-12T09:30:15.1234567-05:00',
        Recipient: 'ann@example.com',
      },
      { kind: 'opened', firstOpen: true, readSeconds: 0, tag: undefined },
    ],
    [
      'a complaint with an empty description and the code of a notification',
      { ...bounce, RecordType: 'SpamComplaint', Type: 'SpamComplaint', TypeCode: 512, Description: '' },
      { kind: 'complained', description: undefined, recipient: 'ann@example.com' },
    ],
    ['an unsubscription', { ...change, SuppressionReason: 'ManualSuppression' }, { kind: 'unsubscribed' }],
    [
      'a new subscription',
      { ...change, SuppressSending: false, SuppressionReason: null },
      { kind: 'resubscribed' },
    ],
    [
      'a suppression for a hard bounce',
      { ...change, SuppressionReason: 'HardBounce' },
      { kind: 'bounced', severity: 'hard' },
    ],
    ['nothing', {}, { kind: 'unknown' }],
    [
      'an inbound email of nothing but a sender',
      { FromFull: { Email: 'eve@example.com' } },
      { kind: 'inbound', from: 'eve@example.com' },
    ],
    [
      'an inbound email of nothing but its type',
      { RecordType: 'Inbound' },
      { kind: 'inbound', from: undefined },
    ],
    [
      'an inbound email of nothing but attachments',
      { Attachments: [{ Name: 'a.txt', Content: 'SGk=', ContentType: 'text/plain', ContentLength: 2 }] },
      { kind: 'inbound' },
    ],
    [
      'an inbound email from a name that is an advertisement',
      {
        MessageStream: 'inbound',
        FromFull: { Email: 'win@example.com', Name: `* * * 💲 ${'Click Here! '.repeat(30)}<a@b> 💲 * * *` },
      },
      { kind: 'inbound', from: 'win@example.com' },
    ],
    [
      'the dummy mail of the dashboard, whose attachments have Data',
      {
        FromFull: { Email: 'support@example.com', Name: 'Support', MailboxHash: '' },
        ToFull: [{ Email: 'hash@inbound.example.com', Name: '', MailboxHash: 'SampleHash' }],
        OriginalRecipient: 'hash@inbound.example.com',
        MessageID: NO_MAIL,
        Date: 'Thu, 12 Feb 2026 09:30:00 -0500',
        Attachments: [{ Name: 'test.txt', ContentType: 'text/plain', Data: 'VGhpcw==', ContentLength: 4 }],
      },
      { kind: 'inbound', test: true, messageId: undefined, recipient: 'hash@inbound.example.com' },
    ],
  ])('%s', (_title, payload, expected) => {
    expect(parseWebhook(JSON.stringify(payload))).toMatchObject(expected)
  })
})

describe('payloads in the shape of Symfony’s fixtures', () => {
  const common = {
    Metadata: { example: 'value' },
    MessageID: NO_MAIL,
    MessageStream: 'outbound',
    Tag: 'Test',
  }
  it.each<[string, object, object]>([
    [
      'a bounce with six digits of a second',
      {
        ...bounce,
        ...common,
        RecordType: 'Bounce',
        Type: 'Transient',
        BouncedAt: '2026-02-12T14:29:57.123456Z',
      },
      { kind: 'bounced', severity: 'transient', at: new Date('2026-02-12T14:29:57.123Z') },
    ],
    [
      'a complaint with the code of a complaint',
      { ...bounce, ...common, RecordType: 'SpamComplaint', Type: 'SpamComplaint', TypeCode: 100_001 },
      { kind: 'complained', tag: 'Test' },
    ],
    [
      'a click with escaped slashes',
      {
        ...agent,
        ...common,
        RecordType: 'Click',
        ClickLocation: 'HTML',
        OriginalLink: 'https://example.com',
        ReceivedAt: '2026-02-12T14:31:09Z',
        Recipient: 'ann@example.com',
      },
      { kind: 'clicked', link: 'https://example.com', userAgent: agent.UserAgent },
    ],
    ['a change', { ...change, ...common, SuppressionReason: 'SpamComplaint' }, { kind: 'complained' }],
  ])('%s', (_title, payload, expected) => {
    const event = parseWebhook(JSON.stringify(payload).replaceAll('/', '\\/'))
    expect(event).toMatchObject({ ...expected, test: true, metadata: { example: 'value' } })
  })
})
