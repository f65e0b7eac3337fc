import { API_ERRORS, BOUNCE_TYPES, type BounceTypeName } from '@postmark-smtp/core'
import { describe, expect, it } from 'vitest'
import type { Arrival } from '../mail/arrival.js'
import { createPostmarkServer, type PostmarkServer, type PostmarkServerOptions } from './postmark-server.js'

const AT = new Date('2026-03-01T08:15:30.123Z')
const TIME = '2026-03-01T08:15:30.1230000Z'
const ANN = 'ann@example.com'
const BOB = 'bob@example.com'
const ARRIVAL: Arrival = { secure: true, hostType: undefined, tokenStream: undefined }

const create = (options: PostmarkServerOptions = {}) => createPostmarkServer({ now: () => AT, ...options })

function receive(server: PostmarkServer, to = [ANN], headers: string[] = [], arrival: Partial<Arrival> = {}) {
  const text = [
    'From: Shop <shop@example.com>',
    'To: ann@example.com',
    'Subject: Hi',
    ...headers,
    '',
    'See https://example.com/a.',
    '',
  ]
  const envelope = { from: 'shop@example.com', to }
  return server.receive(Buffer.from(text.join('\r\n')), envelope, { ...ARRIVAL, ...arrival })
}
const kinds = (server: PostmarkServer, mail: Parameters<PostmarkServer['eventsOf']>[0]) =>
  server.eventsOf(mail).map(({ recordType, recipient }) => `${recordType} ${recipient}`)

describe('an email that is sent', () => {
  it('is delivered to each recipient once', () => {
    const server = create()
    const mail = receive(
      server,
      [ANN, BOB, 'ANN@example.com', 'test@blackhole.postmarkapp.com'],
      ['X-PM-Tag: welcome', 'X-PM-Metadata-order-id: 42'],
    )
    expect(kinds(server, mail)).toEqual([
      `Delivery ${ANN}`,
      `Delivery ${BOB}`,
      'Delivery test@blackhole.postmarkapp.com',
    ])
    expect(server.eventsOf(mail)[0]?.payload).toEqual({
      RecordType: 'Delivery',
      ServerID: 1,
      MessageStream: 'outbound',
      MessageID: mail.messageId,
      Recipient: ANN,
      Tag: 'welcome',
      DeliveredAt: TIME,
      Details: 'smtp;250 2.0.0 OK',
      Metadata: { 'order-id': '42' },
    })
    expect(server.findMail(mail.messageId)).toBe(mail)
  })

  it.each<[string, string[], Partial<Arrival>, string, RegExp | undefined]>([
    ['outbound by default', [], {}, 'outbound', undefined],
    ['that of the header', ['X-PM-Message-Stream: broadcast'], {}, 'broadcast', undefined],
    ['that of the SMTP token', [], { tokenStream: 'broadcast' }, 'broadcast', undefined],
    [
      'that of the SMTP token, not of the header',
      ['X-PM-Message-Stream: outbound'],
      { tokenStream: 'broadcast' },
      'broadcast',
      /^The SMTP token belongs to the stream "broadcast", but the header names "outbound"/,
    ],
    [
      'that of the header, not of the host',
      ['X-PM-Message-Stream: broadcast'],
      { hostType: 'transactional' },
      'broadcast',
      /^The email was sent to the transactional host, but "broadcast" is a message stream of the type broadcasts/,
    ],
    [
      'the one of its host',
      ['X-PM-Message-Stream: broadcast'],
      { hostType: 'broadcasts' },
      'broadcast',
      undefined,
    ],
  ])('goes to a stream: %s', (_, headers, arrival, stream, note) => {
    const mail = receive(create(), [ANN], headers, arrival)
    expect(mail).toMatchObject({ stream, verdict: { outcome: 'sent' } })
    expect(mail.verdict.notes).toEqual(note ? [expect.stringMatching(note)] : [])
  })
})

describe('an email to a stream that does not exist', () => {
  it('keeps the stream that it names, and its bounce is listed under outbound', () => {
    const server = create()
    const mail = receive(server, [ANN], ['X-PM-Message-Stream: nowhere'])
    expect(mail.stream).toBe('nowhere')
    expect(server.bounces).toMatchObject([{ mail, stream: 'outbound', errorCode: 1235 }])
    expect(server.eventsOf(mail)).toMatchObject([
      { recordType: 'Bounce', stream: 'outbound', payload: { MessageStream: 'outbound' } },
    ])
  })

  it.each([
    [
      'says how to declare it',
      'nowhere',
      {},
      /In this sandbox, declare it with `streams: \['nowhere'\]` or `--stream nowhere`\.$/,
    ],
    ['says nothing of that where the ID cannot be one', 'pm-x', {}, /has no final s\.$/],
    ['says that it is archived', 'old', { streams: [{ id: 'old', archived: true }] }, /`old` is archived\.$/],
  ])('%s', (_title, id, options, cure) => {
    const mail = receive(create(options), [ANN], [`X-PM-Message-Stream: ${id}`])
    expect(mail.stream).toBe(id)
    expect(mail.verdict.problems).toMatchObject([{ errorCode: 1235, cure: expect.stringMatching(cure) }])
  })
})

describe('mail to bounce-testing.postmarkapp.com', () => {
  const TEST = '@bounce-testing.postmarkapp.com'

  const types = (Object.keys(BOUNCE_TYPES) as BounceTypeName[]).filter((type) => type !== 'SpamComplaint')
  it.each(types)('bounces as its address says: %s', (type) => {
    const server = create()
    const mail = receive(server, [type + TEST, ANN])
    const { code, name } = BOUNCE_TYPES[type]
    expect(server.bounces).toMatchObject([{ type, typeCode: code, name, recipient: type + TEST, mail }])
    expect(kinds(server, mail)).not.toContain(`Delivery ${type}${TEST}`)
    expect(kinds(server, mail)).toContain(`Delivery ${ANN}`)
  })

  it.each([
    ['the header', ['X-PM-Bounce-Type: softbounce'], `HardBounce${TEST}`, 'SoftBounce'],
    ['the address, in any case', [], 'dnserror@BOUNCE-testing.postmarkapp.com', 'DnsError'],
    ['neither', [], `test${TEST}`, 'HardBounce'],
  ])('bounces as %s says', (_, headers, recipient, type) => {
    const server = create()
    receive(server, [recipient], headers)
    expect(server.bounces).toMatchObject([{ type, recipient }])
  })

  it('has an error code and the email in its dump where it fakes a refusal', () => {
    const server = create()
    const mail = receive(server, [`SMTPApiError${TEST}`], ['X-PM-Metadata-order-id: 42'])
    expect(server.bounces).toMatchObject([{ errorCode: 300, description: API_ERRORS[300]?.name }])
    expect(server.bounces[0]?.dump).toMatch(/^Invalid .*\r\nErrorCode: 300\r\n\r\nFrom: Shop/)
    expect(server.bounces[0]?.dump).toContain(mail.raw.toString())
  })

  it('is refused once a hard bounce has suppressed the address', () => {
    const server = create()
    receive(server, [`HardBounce${TEST}`])
    expect(receive(server, [`HARDBOUNCE${TEST}`]).verdict.problems).toMatchObject([{ errorCode: 406 }])
  })
})

describe('a suppression', () => {
  it('refuses an email that goes only to suppressed addresses, and names them', () => {
    const server = create()
    for (const address of [ANN, BOB]) server.suppress(address)
    const mail = receive(server, ['Ann@Example.com', BOB])
    expect(mail.verdict.problems).toMatchObject([
      {
        errorCode: 406,
        message:
          'You tried to send to recipient(s) that have been marked as inactive. Found inactive addresses: ' +
          `Ann@Example.com, ${BOB}. Inactive recipients are ones that have generated a hard bounce, a spam ` +
          'complaint, or a manual suppression.',
      },
    ])
    expect(server.bounces).toMatchObject([
      { type: 'SMTPApiError', errorCode: 406, recipient: 'Ann@Example.com' },
    ])
  })

  it('lets an email through to the others, with a note', () => {
    const server = create()
    server.suppress(ANN)
    const mail = receive(server, [ANN, BOB])
    expect(mail.verdict).toEqual({
      outcome: 'sent',
      problems: [],
      notes: [`Message OK, but will not deliver to these inactive addresses: ${ANN}`],
    })
    expect(kinds(server, mail)).toEqual([`Delivery ${BOB}`])
  })

  it('holds on its own stream', () => {
    const server = create()
    server.suppress(ANN, { stream: 'broadcast' })
    expect(receive(server).verdict.outcome).toBe('sent')
    expect(receive(server, [ANN], ['X-PM-Message-Stream: broadcast']).verdict.outcome).toBe('refused')
  })

  it('is made and lifted by hand, each time with an event that belongs to no email', () => {
    const server = create()
    const made = server.suppress(ANN, { reason: 'HardBounce' })
    expect(made?.payload).toEqual({
      RecordType: 'SubscriptionChange',
      MessageID: null,
      ServerID: 1,
      MessageStream: 'outbound',
      ChangedAt: TIME,
      Recipient: ANN,
      Origin: 'Customer',
      SuppressSending: true,
      SuppressionReason: 'HardBounce',
      Tag: null,
      Metadata: {},
    })
    expect(server.suppress(ANN)).toBeUndefined()
    const suppression = { stream: 'outbound', address: ANN, reason: 'HardBounce', origin: 'Customer', at: AT }
    expect(server.suppressions).toEqual([suppression])
    expect(server.unsuppress(ANN)?.payload).toMatchObject({ SuppressSending: false, SuppressionReason: null })
    expect(server.unsuppress(ANN)).toBeUndefined()
    expect(server.suppressions).toEqual([])
    expect(() => server.suppress(ANN, { stream: 'news' })).toThrow(
      'The sandbox has outbound, broadcast, inbound.',
    )
  })
})

describe('what recipients do', () => {
  it('bounces and suppresses an address, which can be reactivated', () => {
    const server = create()
    const mail = receive(server, [ANN, BOB])
    const bounce = server.bounce(mail, 'HardBounce', BOB)
    expect(server.findBounce(bounce.id)).toBe(bounce)
    expect(bounce).toMatchObject({ recipient: BOB, inactive: true, canActivate: true })
    expect(kinds(server, mail).slice(2)).toEqual([`Bounce ${BOB}`, `SubscriptionChange ${BOB}`])
    expect(server.eventsOf(mail)[2]?.payload).toEqual({
      RecordType: 'Bounce',
      MessageStream: 'outbound',
      ID: bounce.id,
      Type: 'HardBounce',
      TypeCode: 1,
      Name: 'Hard bounce',
      Tag: '',
      MessageID: mail.messageId,
      Metadata: {},
      ServerID: 1,
      Description: bounce.description,
      Details: bounce.details,
      Email: BOB,
      From: 'shop@example.com',
      BouncedAt: TIME,
      DumpAvailable: true,
      Inactive: true,
      CanActivate: true,
      Subject: 'Hi',
    })
    expect(server.activate(bounce)).toMatchObject({ inactive: false })
    expect(server.suppressions).toEqual([])
  })

  it('complains, which cannot be undone', () => {
    const server = create()
    const mail = receive(server)
    const { recordType, payload, bounce } = server.complain(mail)
    expect(recordType).toBe('SpamComplaint')
    expect(payload).toMatchObject({ RecordType: 'SpamComplaint', Type: 'SpamComplaint', Email: ANN })
    expect(server.suppressions).toMatchObject([{ address: ANN, reason: 'SpamComplaint' }])
    expect(() => server.activate(bounce!)).toThrow(
      'A bounce of the type SpamComplaint cannot be reactivated.',
    )
  })

  it('unsubscribes from the stream', () => {
    const server = create()
    const mail = receive(server, [ANN], ['X-PM-Message-Stream: broadcast'])
    const { payload } = server.unsubscribe(mail)
    const change = { SuppressionReason: 'ManualSuppression', Origin: 'Recipient', SuppressSending: true }
    expect(payload).toMatchObject({ ...change, MessageID: mail.messageId, MessageStream: 'broadcast' })
    expect(server.suppressions).toMatchObject([{ stream: 'broadcast', reason: 'ManualSuppression' }])
  })

  it('opens, the first time and again', () => {
    const server = create()
    const mail = receive(server, [ANN, BOB])
    const firsts = [undefined, ANN, BOB].map((recipient) => server.open(mail, recipient).payload)
    expect(firsts).toMatchObject([
      { RecordType: 'Open', FirstOpen: true, Recipient: ANN, ReceivedAt: TIME, MessageID: mail.messageId },
      { FirstOpen: false, Recipient: ANN },
      { FirstOpen: true, Recipient: BOB },
    ])
  })

  it('clicks no link of an email that is cleared while its links are looked up', async () => {
    const server = create()
    const mail = receive(server)
    const events: string[] = []
    server.on('event', ({ recordType }) => events.push(recordType))
    const clicked = server.click(mail, 'https://b.org')
    server.clear()
    await expect(clicked).rejects.toThrow('The sandbox no longer has this email.')
    expect(events).toEqual([])
  })

  it('clicks a link', async () => {
    const server = create()
    const mail = receive(server)
    const click = { RecordType: 'Click', ClickLocation: 'Text', OriginalLink: 'https://example.com/a' }
    expect((await server.click(mail)).payload).toMatchObject({ ...click, Recipient: ANN, ReceivedAt: TIME })
    expect((await server.click(mail, 'https://b.org')).payload).toMatchObject({
      OriginalLink: 'https://b.org',
    })
  })

  it.each<[string, (server: PostmarkServer) => unknown, string]>([
    [
      'nobody received the email',
      (server) => server.open(receive(server, [ANN], ['X-PM-Message-Stream: x'])),
      'was refused',
    ],
    [
      'it went to others',
      (server) => server.open(receive(server), BOB),
      `did not go to ${BOB}. It went to ${ANN}.`,
    ],
    [
      'the email is gone',
      (server) => {
        const mail = receive(server)
        server.clear()
        return server.bounce(mail, 'HardBounce')
      },
      'no longer has this email',
    ],
  ])('is impossible where %s', (_, act, message) => {
    expect(() => act(create())).toThrow(message)
  })
})

describe('the store', () => {
  it.each([
    ['mails', { mails: 3 }],
    ['bytes', { bytes: 350_000 }],
  ])('lets the oldest go beyond so many %s, with what came of them', (_, keep) => {
    const server = create({ keep })
    let removed = 0
    server.on('removed', () => removed++)
    const headers = [`X-Long: ${'x'.repeat(50_000)}`]
    const to = ['Blocked@bounce-testing.postmarkapp.com']
    const mails = Array.from({ length: 5 }, () => receive(server, to, headers))
    expect(server.mails).toEqual(mails.slice(2))
    expect(server.bounces.map(({ mail }) => mail)).toEqual(mails.slice(2))
    expect(server.findMail(mails[1]!.messageId)).toBeUndefined()
    expect(removed).toBe(2)
  })

  it('keeps the newest mail, however large', () => {
    const server = create({ keep: { bytes: 1 } })
    const mails = [receive(server), receive(server)]
    expect(server.mails).toEqual(mails.slice(1))
  })

  it('is empty after clear, and the addresses are free again', () => {
    const server = create({ streams: ['receipts'] })
    const mail = receive(server)
    const { id } = server.bounce(mail, 'HardBounce')
    server.clear()
    expect([server.mails, server.bounces, server.suppressions]).toEqual([[], [], []])
    expect([server.findMail(mail.messageId), server.findBounce(id)]).toEqual([undefined, undefined])
    expect(server.streams.map((stream) => stream.id)).toEqual([
      'outbound',
      'broadcast',
      'inbound',
      'receipts',
    ])
    expect(receive(server).verdict.outcome).toBe('sent')
  })
})

it('tells of emails and events until told to stop', () => {
  const server = create()
  const heard: string[] = []
  const stop = server.on('mail', ({ subject }) => heard.push(subject))
  server.on('event', ({ recordType }) => heard.push(recordType))
  receive(server)
  stop()
  receive(server)
  expect(heard).toEqual(['Hi', 'Delivery', 'Delivery'])
})

it('takes changes of its settings and streams', () => {
  const server = create({ settings: { trackOpens: true } })
  server.change({ trackLinks: 'HtmlOnly' })
  expect(server.settings).toMatchObject({ name: 'Sandbox', trackOpens: true, trackLinks: 'HtmlOnly' })
  expect(() => server.change({ trackLinks: 'All' as 'None' })).toThrow('Option settings.trackLinks is "All"')
  server.saveStream({ ...server.streams[0]!, archived: true })
  expect(receive(server).verdict.problems).toMatchObject([{ errorCode: 1235 }])
})
