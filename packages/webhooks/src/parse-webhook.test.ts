import { type BOUNCE_TYPES, isPostmarkError } from '@postmark-smtp/core'
import { describe, expect, it } from 'vitest'
import { parseWebhook } from './index.js'
import { parseBounce } from './parse-webhook.js'

const ID = '7c1d4f0e-52ab-4a3e-9d11-0a6f3a1b2c3d'
const NO_ID = '00000000-0000-0000-0000-000000000000'
const common = { MessageStream: 'receipts', MessageID: ID, Tag: 'receipt', Metadata: { order: 'o-17' } }
const browser = {
  Client: { Name: 'Firefox 140', Company: 'Mozilla', Family: 'Firefox' },
  OS: { Name: 'Debian 13', Company: 'Debian', Family: 'Linux' },
  Platform: 'Desktop',
  UserAgent: 'Mozilla/5.0 (X11; Linux x86_64)',
  Geo: {
    CountryISOCode: 'PT',
    Country: 'Portugal',
    City: 'Porto',
    Zip: '',
    Coords: '41.1,-8.6',
    IP: '192.0.2.7',
  },
}
const bounce = {
  ...common,
  RecordType: 'Bounce',
  ID: 4411,
  Type: 'HardBounce',
  TypeCode: 1,
  Name: 'Hard bounce',
  ServerID: 77,
  Description: 'The address does not exist.',
  Details: 'smtp;550 5.1.1 no such user',
  Email: 'ann@example.com',
  From: 'shop@example.com',
  BouncedAt: '2026-02-03T04:05:06.7891234-05:00',
  DumpAvailable: true,
  Inactive: true,
  CanActivate: true,
  Subject: 'Your receipt',
}
const complaint = {
  ...bounce,
  RecordType: 'SpamComplaint',
  Type: 'SpamComplaint',
  TypeCode: 512,
  Content: 'report',
}
const change = {
  ...common,
  RecordType: 'SubscriptionChange',
  ServerID: 77,
  ChangedAt: '2026-02-03T04:05:06Z',
  Recipient: 'ann@example.com',
  Origin: 'Recipient',
  SuppressSending: true,
  SuppressionReason: 'ManualSuppression',
}
const inbound = {
  FromName: 'Ann',
  MessageStream: 'inbound',
  From: 'ann@example.com',
  FromFull: { Email: 'ann@example.com', Name: 'Ann', MailboxHash: '' },
  To: '"Shop" <in+h4sh@inbound.example.com>',
  ToFull: [{ Email: 'in+h4sh@inbound.example.com', Name: 'Shop', MailboxHash: 'h4sh' }],
  Cc: '',
  CcFull: [],
  Bcc: '',
  BccFull: [],
  OriginalRecipient: 'in+h4sh@inbound.example.com',
  Subject: 'Where is it?',
  MessageID: ID,
  ReplyTo: '',
  MailboxHash: 'h4sh',
  Date: 'Tue, 3 Feb 2026 04:05:06 -05:00',
  TextBody: 'Hello',
  HtmlBody: '<p>Hello</p>',
  StrippedTextReply: '',
  Tag: '',
  Headers: [{ Name: 'X-Spam-Score', Value: '-0.1' }],
  Attachments: [
    { Name: 'a.txt', Content: 'SGk=', ContentType: 'text/plain', ContentID: '', ContentLength: 2 },
  ],
}
const at = new Date('2026-02-03T09:05:06.789Z')
const told = {
  messageId: ID,
  test: false,
  messageStream: 'receipts',
  tag: 'receipt',
  metadata: { order: 'o-17' },
  recipient: 'ann@example.com',
}

describe('parseWebhook reads a post of each kind', () => {
  it.each<[string, object, object]>([
    [
      'Delivery',
      {
        ...common,
        RecordType: 'Delivery',
        ServerID: 77,
        Recipient: 'ann@example.com',
        DeliveredAt: '2026-02-03T04:05:06Z',
        Details: '250 taken',
      },
      {
        ...told,
        kind: 'delivered',
        recordType: 'Delivery',
        serverId: 77,
        at: new Date('2026-02-03T04:05:06Z'),
        details: '250 taken',
      },
    ],
    [
      'Bounce',
      bounce,
      {
        ...told,
        kind: 'bounced',
        severity: 'hard',
        recordType: 'Bounce',
        at,
        serverId: 77,
        bounceId: 4411,
        bounceType: 'HardBounce',
        description: 'The address does not exist.',
        details: 'smtp;550 5.1.1 no such user',
        from: 'shop@example.com',
        subject: 'Your receipt',
        content: undefined,
        inactive: true,
        canActivate: true,
        dumpAvailable: true,
      },
    ],
    [
      'SpamComplaint',
      complaint,
      { ...told, kind: 'complained', recordType: 'SpamComplaint', at, content: 'report' },
    ],
    [
      'Open',
      {
        ...common,
        ...browser,
        RecordType: 'Open',
        FirstOpen: true,
        ReadSeconds: 5,
        ReceivedAt: bounce.BouncedAt,
        Recipient: 'ann@example.com',
      },
      {
        ...told,
        kind: 'opened',
        recordType: 'Open',
        at,
        firstOpen: true,
        readSeconds: 5,
        platform: 'Desktop',
        userAgent: browser.UserAgent,
      },
    ],
    [
      'Open, of a client that is not known',
      {
        RecordType: 'Open',
        FirstOpen: true,
        Geo: {},
        Platform: 'Unknown',
        ReadSeconds: 0,
        MessageID: ID,
        ReceivedAt: bounce.BouncedAt,
        Recipient: 'ann@example.com',
      },
      { kind: 'opened', at, tag: undefined, metadata: {}, readSeconds: 0, userAgent: undefined },
    ],
    [
      'Click',
      {
        ...common,
        ...browser,
        RecordType: 'Click',
        ClickLocation: 'HTML',
        OriginalLink: 'https://example.com/a',
        ReceivedAt: bounce.BouncedAt,
        Recipient: 'ann@example.com',
      },
      { ...told, kind: 'clicked', recordType: 'Click', at, link: 'https://example.com/a', location: 'HTML' },
    ],
    [
      'SubscriptionChange, by hand',
      change,
      {
        ...told,
        kind: 'unsubscribed',
        recordType: 'SubscriptionChange',
        reason: 'ManualSuppression',
        origin: 'Recipient',
        at: new Date(change.ChangedAt),
      },
    ],
    [
      'SubscriptionChange, back',
      { ...change, SuppressSending: false, SuppressionReason: null, Origin: 'Customer', MessageID: null },
      {
        ...told,
        kind: 'resubscribed',
        recordType: 'SubscriptionChange',
        origin: 'Customer',
        messageId: undefined,
      },
    ],
    [
      'SubscriptionChange, for a hard bounce',
      { ...change, SuppressionReason: 'HardBounce' },
      {
        ...told,
        kind: 'bounced',
        severity: 'hard',
        recordType: 'SubscriptionChange',
        bounceType: 'HardBounce',
        inactive: true,
      },
    ],
    [
      'SubscriptionChange, for a complaint',
      { ...change, SuppressionReason: 'SpamComplaint' },
      { ...told, kind: 'complained', recordType: 'SubscriptionChange' },
    ],
    [
      'SubscriptionChange, with no direction',
      { ...change, SuppressSending: undefined },
      { ...told, kind: 'unknown', recordType: 'SubscriptionChange' },
    ],
    [
      'inbound email',
      inbound,
      {
        kind: 'inbound',
        recordType: 'Inbound',
        messageStream: 'inbound',
        from: 'ann@example.com',
        subject: 'Where is it?',
        recipient: 'in+h4sh@inbound.example.com',
        at: new Date('2026-02-03T09:05:06Z'),
        tag: undefined,
      },
    ],
    [
      'inbound email that names its type',
      { RecordType: 'Inbound', To: 'in@example.com' },
      { kind: 'inbound', recipient: 'in@example.com' },
    ],
    [
      'a type to come',
      { ...common, RecordType: 'Snooze' },
      { kind: 'unknown', recordType: 'Unknown', messageId: ID, tag: 'receipt' },
    ],
    [
      'an empty object',
      {},
      { kind: 'unknown', recordType: 'Unknown', metadata: {}, at: undefined, recipient: undefined },
    ],
  ])('%s', (_title, raw, expected) => {
    const event = parseWebhook(JSON.stringify(raw))
    expect(event).toMatchObject(expected)
    expect(event).toEqual(parseWebhook(JSON.parse(JSON.stringify(raw))))
    expect(event.raw).toEqual(JSON.parse(JSON.stringify(raw)))
  })

  it.each<[string, object, string]>([
    [
      'a delivery, whose server is ServerId',
      { ServerId: 77, MessageID: ID, Recipient: 'a@b.c', DeliveredAt: change.ChangedAt },
      'delivered',
    ],
    ['a bounce', { ...bounce, RecordType: undefined }, 'bounced'],
    ['a complaint', { ...complaint, RecordType: undefined }, 'complained'],
    ['an open', { FirstOpen: false, ReceivedAt: change.ChangedAt }, 'opened'],
    ['a click', { OriginalLink: 'https://example.com', ReceivedAt: change.ChangedAt }, 'clicked'],
    ['a change of subscription', { ...change, RecordType: null }, 'unsubscribed'],
  ])('%s that names no type, as old webhooks and the samples of the documentation', (_title, raw, kind) => {
    expect(parseWebhook(JSON.stringify(raw)).kind).toBe(kind)
  })
})

describe('parseWebhook reads a bounce by its type', () => {
  const expected: Readonly<Record<keyof typeof BOUNCE_TYPES, string>> = {
    HardBounce: 'bounced hard',
    Transient: 'bounced transient',
    Unsubscribe: 'unsubscribed',
    Subscribe: 'resubscribed',
    AutoResponder: 'bounced transient',
    AddressChange: 'bounced transient',
    DnsError: 'bounced transient',
    SpamNotification: 'bounced soft',
    OpenRelayTest: 'bounced transient',
    Unknown: 'bounced soft',
    SoftBounce: 'bounced soft',
    VirusNotification: 'bounced soft',
    ChallengeVerification: 'bounced transient',
    BadEmailAddress: 'bounced hard',
    SpamComplaint: 'complained',
    ManuallyDeactivated: 'bounced hard',
    Unconfirmed: 'bounced soft',
    Blocked: 'bounced soft',
    SMTPApiError: 'rejected',
    InboundError: 'bounced soft',
    DMARCPolicy: 'bounced soft',
    TemplateRenderingFailed: 'bounced soft',
  }
  it.each(Object.entries({ ...expected, SomethingNew: 'bounced soft', constructor: 'bounced soft' }))(
    '%s is %s',
    (Type, meaning) => {
      const event = parseWebhook({ ...bounce, Type })
      expect('severity' in event ? `${event.kind} ${event.severity}` : event.kind).toBe(meaning)
    },
  )

  it.each<[string, object, number | undefined]>([
    ['in the details', { Details: 'ErrorCode: 406, inactive recipient' }, 406],
    ['in the description', { Details: null, Description: 'Refused. ErrorCode 300' }, 300],
    [
      'in the source',
      { Details: '', Description: 'Refused', Content: 'x\nErrorCode:1235\nErrorCode:300' },
      1235,
    ],
    ['in the source as JSON', { Details: '', Description: '', Content: '{"ErrorCode": 412}' }, 412],
    ['in other words', { Details: 'error code=413' }, 413],
    ['without a blank', { Details: 'errorcode411' }, 411],
    ['nowhere', { Details: 'no code', Description: 'ErrorCode: none' }, undefined],
  ])('finds the error code %s', (_title, fields, errorCode) => {
    const event = parseWebhook({ ...bounce, ...fields, Type: 'SMTPApiError', TypeCode: 100007 })
    expect(event).toMatchObject({ kind: 'rejected', errorCode })
  })

  it('names cause and cure of an error code, and Postmark’s description where it is not known', () => {
    const rejection = (Details: string) => parseWebhook({ ...bounce, Type: 'SMTPApiError', Details })
    expect(rejection('ErrorCode: 406')).toMatchObject({
      cause: expect.stringContaining('suppressed'),
      cure: expect.stringContaining('Do not send again'),
    })
    expect(rejection('ErrorCode: 99999')).toMatchObject({
      errorCode: 99999,
      cause: bounce.Description,
      cure: undefined,
    })
  })

  it('reads an item of GET /bounces, which names no RecordType', () => {
    const { RecordType: _none, ...item } = bounce
    expect(parseBounce(item)).toEqual({ ...parseWebhook(bounce), raw: item })
    expect(parseBounce({ ...item, Type: 'SMTPApiError', Content: 'ErrorCode: 400' })).toMatchObject({
      kind: 'rejected',
      errorCode: 400,
    })
  })
})

describe('parseWebhook tolerates', () => {
  it.each<[string, object, object]>([
    ['metadata as an empty list', { Metadata: [] }, { metadata: {} }],
    ['metadata that is null', { Metadata: null }, { metadata: {} }],
    [
      'metadata that is no text',
      { Metadata: { a: 1, b: true, c: null, d: {}, e: 'e' } },
      { metadata: { a: '1', b: 'true', e: 'e' } },
    ],
    ['no tag', { Tag: undefined }, { tag: undefined }],
    ['a tag that is null', { Tag: null }, { tag: undefined }],
    ['an empty tag', { Tag: '' }, { tag: undefined }],
    ['a tag that is a number', { Tag: 5 }, { tag: undefined }],
    ['a MessageID of zeros', { MessageID: NO_ID }, { messageId: undefined, test: true }],
    ['a MessageID that is null', { MessageID: null }, { messageId: undefined, test: false }],
    [
      'a time with no zone',
      { BouncedAt: '2026-02-03T04:05:06.7891234' },
      { at: new Date('2026-02-03T04:05:06.789Z') },
    ],
    ['a time that is none', { BouncedAt: 'yesterday 7' }, { at: undefined }],
    ['a day that there is not', { BouncedAt: '2026-13-45T00:00:00Z' }, { at: undefined }],
    ['a time that is a number', { BouncedAt: 1e9 }, { at: undefined }],
    ['a number that JavaScript cannot hold', { ID: 1e300 }, { bounceId: undefined }],
    ['an address that is an object', { Email: { a: 1 } }, { recipient: undefined }],
    ['a RecordType that is an object', { RecordType: {} }, { kind: 'unknown' }],
    ['a RecordType of a prototype', { RecordType: '__proto__' }, { kind: 'unknown' }],
  ])('%s', (_title, fields, expected) => {
    expect(parseWebhook({ ...bounce, ...fields })).toMatchObject(expected)
  })

  it('keys of prototypes in metadata, which change nothing', () => {
    const event = parseWebhook(
      '{"Metadata":{"__proto__":"p","constructor":"c","toString":"t","hasOwnProperty":"h"}}',
    )
    expect(Object.entries(event.metadata)).toEqual([
      ['__proto__', 'p'],
      ['constructor', 'c'],
      ['toString', 't'],
      ['hasOwnProperty', 'h'],
    ])
    expect({}.toString()).toBe('[object Object]')
    expect(Object.isFrozen(event.metadata)).toBe(true)
    expect(parseWebhook({}).metadata.constructor).toBeUndefined()
  })

  it.each([['"text"'], ['[]'], ['null'], ['17'], ['{"a":'], [''], [undefined], [null], [[{}]], [true]])(
    'all but %j, which is not a JSON object',
    (input) => {
      expect(() => parseWebhook(input)).toThrow(expect.objectContaining({ code: 'ERR_POSTMARK_WEBHOOK' }))
    },
  )

  it('and its error quotes nothing of the body', () => {
    let thrown: unknown
    try {
      parseWebhook('{"Email":"ann@example.com",')
    } catch (error) {
      thrown = error
    }
    expect(isPostmarkError(thrown)).toBe(true)
    expect(String((thrown as Error).stack)).not.toContain('ann@example.com')
  })
})

describe('parseWebhook finds the way back', () => {
  const trace = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'

  it('in the metadata, whatever the case of its keys', () => {
    const Metadata = { 'Correlation-ID': 'c-1', Traceparent: trace }
    expect(parseWebhook({ Metadata })).toMatchObject({ correlationId: 'c-1', traceparent: trace })
  })

  it('under keys of your own', () => {
    const event = parseWebhook(
      { Metadata: { request: 'c-2', tp: trace, 'correlation-id': 'no' } },
      { correlationKey: 'request', traceparentKey: 'tp' },
    )
    expect(event).toMatchObject({ correlationId: 'c-2', traceparent: trace })
  })

  const mail = [
    'Received: from app by sandbox',
    'from: Shop <shop@example.com>',
    'x-pm-tag: receipt',
    'X-PM-Metadata-Correlation-ID: c-3',
    `X-PM-Metadata-traceparent:\r\n ${trace}`,
    'Subject: Your receipt',
    '',
    'From: an email that this one quotes',
    'X-PM-Metadata-order: quoted',
  ].join('\r\n')
  const refused = { RecordType: 'Bounce', Type: 'SMTPApiError' }
  const found = { tag: 'receipt', metadata: { 'Correlation-ID': 'c-3', traceparent: trace } }
  const links = { correlationId: 'c-3', traceparent: trace }

  it.each<[string, object, object]>([
    [
      'behind an explanation',
      { Content: `Inactive.\r\nErrorCode: 406\r\n\r\n${mail}` },
      { ...found, ...links },
    ],
    ['alone', { Content: mail }, { ...found, ...links }],
    ['with bare line feeds', { Content: mail.replaceAll('\r', '') }, { ...found, ...links }],
    ['right below an explanation', { Content: `ErrorCode: 406\n${mail}` }, { ...found, ...links }],
    ['beside empty fields', { Content: mail, Tag: '', Metadata: [] }, { ...found, ...links }],
    [
      'which fields of their own outweigh',
      { Content: mail, Tag: 'given', Metadata: { order: 'o-1' } },
      { tag: 'given', metadata: { order: 'o-1' }, correlationId: undefined, traceparent: undefined },
    ],
    [
      'whose own text does not count',
      {
        Content: 'From: Shop <shop@example.com>\n\nFrom: Eve\nX-PM-Tag: quoted\nX-PM-Metadata-order: quoted',
      },
      { tag: undefined, metadata: {} },
    ],
    ['that is none', { Content: 'ErrorCode: 406' }, { tag: undefined, metadata: {} }],
    [
      'of another bounce, which is a stranger’s text',
      { Type: 'HardBounce', Content: mail },
      { tag: undefined, metadata: {} },
    ],
  ])('in the raw source of a refused email %s', (_what, fields, expected) => {
    const { tag, metadata, correlationId, traceparent } = parseWebhook({ ...refused, ...fields })
    expect({ tag, metadata: { ...metadata }, correlationId, traceparent }).toEqual(expected)
  })

  it('in a raw source, which changes no prototype', () => {
    const Content = 'From: Shop <shop@example.com>\nX-PM-Metadata-__proto__: x\n\n'
    const { metadata } = parseWebhook({ ...refused, Content })
    expect(Object.entries(metadata)).toEqual([['__proto__', 'x']])
    expect(Object.getPrototypeOf({})).toBe(Object.prototype)
  })

  it.each([
    ['00-00000000000000000000000000000000-b7ad6b7169203331-01'],
    ['00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01'],
    ['ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'],
    ['00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01'],
    [`${trace}\n`],
    ['00-0af7-b7ad-01'],
    [''],
  ])('and leaves out the traceparent %j', (traceparent) => {
    expect(parseWebhook({ Metadata: { traceparent } }).traceparent).toBeUndefined()
  })
})
