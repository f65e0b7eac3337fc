import { BOUNCE_TYPES } from '@postmark-smtp/core'
import { DEFAULT_STREAM } from '../mail/stream.js'
import type { RecordType } from './sandbox-event.js'

/** The body of a webhook. */
export type WebhookPayload = Readonly<Record<string, unknown>>

/** The kinds of payload: each RecordType, the bounce of a refused email, and an inbound email. */
export type PayloadKind = RecordType | 'SMTPApiError' | 'Inbound'

/** The ID of the sandbox's server in payloads and in the API. */
export const SERVER_ID = 1

const SAMPLE_ID = 'b7a1d2c4-58e3-4f0a-9c6b-2d1e0f3a4b5c'
const SAMPLE_TIME = '2026-03-01T08:15:30.1234567Z'
const SAMPLE_ADDRESS = 'ann@example.com'

const COMMON = {
  MessageStream: DEFAULT_STREAM,
  MessageID: SAMPLE_ID,
  Tag: 'welcome',
  Metadata: { 'order-id': '42' },
}

const CLIENT = {
  Client: { Name: 'Firefox 140', Company: 'Mozilla', Family: 'Firefox' },
  OS: { Name: 'Linux', Company: 'Canonical', Family: 'Linux' },
  Platform: 'Desktop',
  UserAgent: 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0',
  Geo: {
    CountryISOCode: 'AT',
    Country: 'Austria',
    RegionISOCode: 'AT-9',
    Region: 'Vienna',
    City: 'Vienna',
    Zip: '1010',
    Coords: '48.2085,16.3721',
    IP: '192.0.2.7',
  },
}

const bounced = (type: keyof typeof BOUNCE_TYPES, details: WebhookPayload): WebhookPayload => ({
  RecordType: 'Bounce',
  ...COMMON,
  ID: 1,
  Type: type,
  TypeCode: BOUNCE_TYPES[type].code,
  Name: BOUNCE_TYPES[type].name,
  ServerID: SERVER_ID,
  Email: SAMPLE_ADDRESS,
  From: 'shop@example.com',
  BouncedAt: SAMPLE_TIME,
  DumpAvailable: true,
  Subject: 'Welcome',
  ...details,
})

const person = (email: string, name: string) => ({ Email: email, Name: name, MailboxHash: '' })

/** One payload of each kind, in Postmark's shape. */
export const SAMPLES: Readonly<Record<PayloadKind, WebhookPayload>> = {
  Delivery: {
    RecordType: 'Delivery',
    ...COMMON,
    ServerID: SERVER_ID,
    Recipient: SAMPLE_ADDRESS,
    DeliveredAt: SAMPLE_TIME,
    Details: 'smtp;250 2.0.0 OK',
  },
  Bounce: bounced('HardBounce', {
    Description: 'The receiving server refused the email permanently: the mailbox does not exist.',
    Details: 'smtp;550 5.1.1 unknown user',
    Inactive: true,
    CanActivate: true,
  }),
  SMTPApiError: bounced('SMTPApiError', {
    Description: 'Inactive recipient',
    Details: `You tried to send to recipient(s) that have been marked as inactive. Found inactive addresses: ${SAMPLE_ADDRESS}.`,
    Inactive: false,
    CanActivate: false,
  }),
  SpamComplaint: bounced('SpamComplaint', {
    RecordType: 'SpamComplaint',
    Description: 'The recipient marked the email as spam.',
    Details: '',
    Inactive: true,
    CanActivate: false,
  }),
  Open: {
    RecordType: 'Open',
    ...COMMON,
    FirstOpen: true,
    ...CLIENT,
    ReadSeconds: 5,
    ReceivedAt: SAMPLE_TIME,
    Recipient: SAMPLE_ADDRESS,
  },
  Click: {
    RecordType: 'Click',
    ...COMMON,
    ClickLocation: 'HTML',
    OriginalLink: 'https://example.com/',
    ...CLIENT,
    ReceivedAt: SAMPLE_TIME,
    Recipient: SAMPLE_ADDRESS,
  },
  SubscriptionChange: {
    RecordType: 'SubscriptionChange',
    ...COMMON,
    ServerID: SERVER_ID,
    ChangedAt: SAMPLE_TIME,
    Recipient: SAMPLE_ADDRESS,
    Origin: 'Recipient',
    SuppressSending: true,
    SuppressionReason: 'ManualSuppression',
  },
  Inbound: {
    FromName: 'Ann',
    MessageStream: 'inbound',
    From: SAMPLE_ADDRESS,
    FromFull: person(SAMPLE_ADDRESS, 'Ann'),
    To: 'reply@inbound.example.com',
    ToFull: [person('reply@inbound.example.com', '')],
    Cc: '',
    CcFull: [],
    Bcc: '',
    BccFull: [],
    OriginalRecipient: 'reply@inbound.example.com',
    Subject: 'Re: Welcome',
    MessageID: SAMPLE_ID,
    ReplyTo: '',
    MailboxHash: '',
    Date: 'Sun, 1 Mar 2026 09:15:30 +0100',
    TextBody: 'Thank you',
    HtmlBody: '',
    StrippedTextReply: 'Thank you',
    Tag: '',
    Headers: [{ Name: 'MIME-Version', Value: '1.0' }],
    Attachments: [],
  },
}
