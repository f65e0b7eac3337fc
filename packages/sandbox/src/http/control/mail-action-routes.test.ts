import { sendWelcome as send } from '@postmark-smtp/testing'
import { describe, expect, it } from 'vitest'
import { type Sandbox, startSandbox } from '../../sandbox.js'

describe('the sandbox’s own calls', () => {
  const post = async ({ apiUrl, token }: Sandbox, path: string, body: object = {}) => {
    const headers = { 'X-Postmark-Server-Token': token, 'Content-Type': 'application/json' }
    const response = await fetch(apiUrl + path, { method: 'POST', headers, body: JSON.stringify(body) })
    return { status: response.status, body: (await response.json()) as Record<string, unknown> }
  }

  it.each([
    ['open', {}, { RecordType: 'Open', Recipient: 'ann@example.com' }],
    ['open', { Recipient: 'bob@example.com' }, { RecordType: 'Open', Recipient: 'bob@example.com' }],
    [
      'click',
      { Link: 'https://example.com/start' },
      { RecordType: 'Click', OriginalLink: 'https://example.com/start' },
    ],
    ['complain', {}, { RecordType: 'SpamComplaint', Email: 'ann@example.com' }],
    ['unsubscribe', {}, { RecordType: 'SubscriptionChange', SuppressSending: true }],
    ['bounce', {}, { RecordType: 'Bounce', Type: 'HardBounce' }],
    [
      'bounce',
      { Type: 'SoftBounce', Recipient: 'bob@example.com' },
      { Type: 'SoftBounce', Email: 'bob@example.com' },
    ],
  ])('let a recipient %s (%j)', async (name, body, payload) => {
    await using sandbox = await startSandbox()
    const mail = await send(sandbox, {}, { to: 'ann@example.com, bob@example.com' })
    const reply = await post(sandbox, `/sandbox/mails/${mail.messageId}/${name}`, body)
    expect(reply).toMatchObject({ status: 200, body: { MessageID: mail.messageId, ...payload } })
    expect(sandbox.events(mail).map((event) => event.payload)).toContainEqual(reply.body)
  })

  it.each([
    ['open', { Recipient: 'eve@example.com' }, 'did not go to eve@example.com'],
    ['bounce', { Type: 'Quantum' }, "'Type' must be one of"],
    ['click', { Link: 7 }, "'Link' must be a string"],
  ])('refuse to %s with %j', async (name, body, why) => {
    await using sandbox = await startSandbox()
    const mail = await send(sandbox)
    const reply = await post(sandbox, `/sandbox/mails/${mail.messageId}/${name}`, body)
    expect(reply).toMatchObject({ status: 422, body: { Message: expect.stringContaining(why) } })
  })

  it('know no email of another ID', async () => {
    await using sandbox = await startSandbox()
    expect(await post(sandbox, '/sandbox/mails/nothing/open')).toMatchObject({
      status: 404,
      body: { ErrorCode: 701 },
    })
  })
})
