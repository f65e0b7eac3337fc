import { createSuppressionList } from '@postmark-smtp/core'
import { expect, it } from 'vitest'
import { parseWebhook, suppressFrom } from './index.js'

const ADDRESS = 'ann@example.com'
const base = { MessageID: '5f9e1d53-1f0c-4f2a-9a0a-6f5a1f0c2b7d', MessageStream: 'news' }
const bounce = {
  ...base,
  RecordType: 'Bounce',
  Type: 'HardBounce',
  Email: ADDRESS,
  BouncedAt: '2026-06-15T12:00:00Z',
  Inactive: true,
}
const change = {
  ...base,
  RecordType: 'SubscriptionChange',
  Recipient: ADDRESS,
  ChangedAt: '2026-06-15T13:00:00Z',
  SuppressSending: true,
  SuppressionReason: 'ManualSuppression',
}

it.each([
  ['a hard bounce that deactivated the address', bounce, 'HardBounce'],
  ['a spam complaint', { ...bounce, RecordType: 'SpamComplaint', Type: 'SpamComplaint' }, 'SpamComplaint'],
  ['an unsubscription', change, 'ManualSuppression'],
  ['one made by hand, which has no email', { ...change, MessageID: null }, 'ManualSuppression'],
  ['a change after a bounce', { ...change, SuppressionReason: 'HardBounce' }, 'HardBounce'],
  [
    'an email refused with error 406',
    { ...bounce, Type: 'SMTPApiError', Inactive: false, Details: 'ErrorCode: 406' },
    'SMTPApiError',
  ],
  ['an unsubscription by mail that deactivated it', { ...bounce, Type: 'Unsubscribe' }, 'ManualSuppression'],
])('suppresses the address on its stream after %s', async (_what, post, reason) => {
  const list = createSuppressionList()
  await suppressFrom(list, parseWebhook(post))
  expect(list.list()).toMatchObject([{ address: ADDRESS, stream: 'news', reason }])
})

it.each([
  ['a bounce that leaves the address active', { ...bounce, Type: 'SoftBounce', Inactive: false }],
  [
    'a refused email of another reason',
    { ...bounce, Type: 'SMTPApiError', Inactive: false, Details: 'ErrorCode: 300' },
  ],
  ['an unsubscription by mail that changed nothing', { ...bounce, Type: 'Unsubscribe', Inactive: false }],
  ['a delivery', { ...base, RecordType: 'Delivery', Recipient: ADDRESS }],
  ['a change that tells no direction', { ...change, SuppressSending: undefined }],
  ['a test post', { ...bounce, MessageID: '00000000-0000-0000-0000-000000000000' }],
  ['an event without an address', { ...bounce, Email: undefined }],
])('suppresses nothing after %s', async (_what, post) => {
  const list = createSuppressionList()
  await suppressFrom(list, parseWebhook(post))
  expect(list.list()).toEqual([])
})

it('clears the address when it subscribes again, on that stream alone', async () => {
  const list = createSuppressionList()
  await suppressFrom(list, parseWebhook(bounce))
  await suppressFrom(list, parseWebhook({ ...bounce, MessageStream: undefined }))
  await suppressFrom(list, parseWebhook({ ...change, SuppressSending: false, SuppressionReason: null }))
  expect(list.list()).toMatchObject([{ stream: 'outbound' }])
})

it('leaves an address suppressed after an email that only asks for a subscription', async () => {
  const list = createSuppressionList()
  await suppressFrom(list, parseWebhook(bounce))
  await suppressFrom(list, parseWebhook({ ...bounce, Type: 'Subscribe', BouncedAt: '2026-06-15T14:00:00Z' }))
  expect(list.list()).toHaveLength(1)
})

it('lets an event that Postmark repeats late not undo a newer one', async () => {
  const list = createSuppressionList()
  await suppressFrom(list, parseWebhook({ ...change, SuppressSending: false }))
  await suppressFrom(list, parseWebhook(bounce))
  expect(list.list()).toEqual([])
})

it('throws what the store throws', async () => {
  const error = new Error('no connection')
  const store = { add: () => Promise.reject(error), remove: () => {} }
  await expect(suppressFrom(store, parseWebhook(bounce))).rejects.toBe(error)
})
