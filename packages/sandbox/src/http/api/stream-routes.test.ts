import { sendWelcome as send } from '@postmark-smtp/testing'
import { ServerClient } from 'postmark'
import { describe, expect, it } from 'vitest'
import { startSandbox } from '../../sandbox.js'

async function start() {
  const sandbox = await startSandbox()
  const client = new ServerClient(sandbox.token, { requestHost: sandbox.apiHost, useHttps: false })
  return { sandbox, client, [Symbol.asyncDispose]: sandbox.close }
}

describe('message streams', () => {
  it('makes, shows, edits, archives and brings back a stream that emails can use', async () => {
    await using use = await start()
    const { sandbox, client } = use
    const made = await client.createMessageStream({
      ID: 'receipts',
      Name: 'Receipts',
      MessageStreamType: 'Transactional',
    })
    expect(made).toEqual({
      ID: 'receipts',
      ServerID: 1,
      Name: 'Receipts',
      Description: null,
      MessageStreamType: 'Transactional',
      CreatedAt: expect.stringMatching(/T\d\d:\d\d:\d\d-0[45]:00$/),
      UpdatedAt: null,
      ArchivedAt: null,
      ExpectedPurgeDate: null,
      SubscriptionManagementConfiguration: { UnsubscribeHandlingType: 'None' },
    })
    expect((await send(sandbox, { 'X-PM-Message-Stream': 'receipts' })).verdict.outcome).toBe('sent')
    expect(
      await client.editMessageStream('receipts', { Name: 'Bills', Description: 'All bills' }),
    ).toMatchObject({
      Name: 'Bills',
      Description: 'All bills',
      UpdatedAt: expect.any(String),
    })
    const { ExpectedPurgeDate } = await client.archiveMessageStream('receipts')
    expect(Date.parse(ExpectedPurgeDate) - Date.now()).toBeGreaterThan(44 * 86_400_000)
    expect((await send(sandbox, { 'X-PM-Message-Stream': 'receipts' })).verdict.outcome).toBe('refused')
    const list = async (filter = {}) =>
      (await client.getMessageStreams(filter)).MessageStreams.map(({ ID }) => ID)
    expect(await list()).toEqual(['outbound', 'broadcast', 'inbound'])
    expect(await list({ includeArchivedStreams: true })).toEqual([
      'outbound',
      'broadcast',
      'inbound',
      'receipts',
    ])
    expect(await list({ messageStreamType: 'Broadcasts' })).toEqual(['broadcast'])
    expect(await client.unarchiveMessageStream('receipts')).toMatchObject({
      ID: 'receipts',
      ArchivedAt: null,
    })
    expect(await client.getMessageStream('receipts')).toMatchObject({ Name: 'Bills', ArchivedAt: null })
  })

  it.each([
    [{ ID: 'a b' }, 1227],
    [{ ID: 'pm-a' }, 1233],
    [{ ID: undefined }, 1222],
    [{ ID: 'broadcast' }, 1230],
    [{ Name: ' ' }, 1223],
    [{ Name: 'x'.repeat(101) }, 1224],
    [{ MessageStreamType: 'Inbound' }, 1221],
    [{ Description: 'x'.repeat(1001) }, 1231],
    [{ SubscriptionManagementConfiguration: { UnsubscribeHandlingType: 'Maybe' } }, 1240],
  ])('refuses a stream with %j', async (fields, code) => {
    await using use = await start()
    const stream = { ID: 'receipts', Name: 'Receipts', MessageStreamType: 'Transactional', ...fields }
    await expect(use.client.createMessageStream(stream as never)).rejects.toMatchObject({
      code,
      statusCode: 422,
    })
  })

  it('keeps the streams that a server must have, and no more than ten', async () => {
    await using use = await start()
    for (const id of ['outbound', 'inbound']) {
      await expect(use.client.archiveMessageStream(id)).rejects.toMatchObject({ code: 1229 })
    }
    await expect(use.client.getMessageStream('nothing')).rejects.toMatchObject({ code: 1226 })
    const make = (ID: string) =>
      use.client.createMessageStream({ ID, Name: ID, MessageStreamType: 'Broadcasts' })
    for (const id of ['a', 'b', 'c', 'd', 'e', 'f', 'g']) await make(id)
    await expect(make('h')).rejects.toMatchObject({ code: 1225 })
  })
})
