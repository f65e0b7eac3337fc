import { expect, it } from 'vitest'
import { ODD_WEBHOOK_PAYLOADS } from './odd-webhook-payloads.js'
import { toPostmarkDate, webhookPayload } from './webhook-payload.js'
import type { PayloadKind } from './webhook-samples.js'

const KINDS: [PayloadKind, string | undefined, string][] = [
  ['Delivery', 'Delivery', 'Recipient'],
  ['Bounce', 'Bounce', 'Email'],
  ['SMTPApiError', 'Bounce', 'Email'],
  ['SpamComplaint', 'SpamComplaint', 'Email'],
  ['Open', 'Open', 'Recipient'],
  ['Click', 'Click', 'Recipient'],
  ['SubscriptionChange', 'SubscriptionChange', 'Recipient'],
  ['Inbound', undefined, 'OriginalRecipient'],
]

it.each(KINDS)('makes a payload of %s, which is a new object each time', (kind, recordType, address) => {
  const payload = webhookPayload(kind, { [address]: 'bob@example.com' })
  expect(payload).toMatchObject({ MessageID: expect.any(String), [address]: 'bob@example.com' })
  expect(payload.RecordType).toBe(recordType)
  for (const value of Object.values(webhookPayload(kind))) {
    if (typeof value === 'object' && value) Object.assign(value, { changed: true })
  }
  expect(JSON.stringify(webhookPayload(kind))).not.toContain('changed')
})

it('writes every time with seven digits of a second', () => {
  expect(toPostmarkDate(new Date('2026-03-01T08:15:30.12Z'))).toBe('2026-03-01T08:15:30.1200000Z')
  for (const [kind] of KINDS.slice(0, 7)) {
    const times = Object.entries(webhookPayload(kind)).filter(([key]) => key.endsWith('At'))
    expect(times, kind).toEqual([[expect.any(String), expect.stringMatching(/\.\d{7}Z$/)]])
  }
})

it('tells the type of a bounce as Postmark does', () => {
  expect(webhookPayload('SMTPApiError')).toMatchObject({ Type: 'SMTPApiError', TypeCode: 100007 })
  expect(webhookPayload('SpamComplaint')).toMatchObject({ Type: 'SpamComplaint', TypeCode: 100001 })
})

it('lists odd payloads, each once and as JSON holds it', () => {
  const names = ODD_WEBHOOK_PAYLOADS.map(({ name }) => name)
  expect(new Set(names).size).toBe(names.length)
  for (const { payload } of ODD_WEBHOOK_PAYLOADS) {
    expect(JSON.parse(JSON.stringify(payload))).toEqual(payload)
    expect(payload).not.toEqual(webhookPayload((payload.RecordType as PayloadKind) ?? 'Bounce'))
  }
})
