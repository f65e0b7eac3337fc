import { sendWelcome as send } from '@postmark-smtp/testing'
import { ServerClient } from 'postmark'
import { describe, expect, it } from 'vitest'
import { startSandbox } from '../../sandbox.js'

async function start() {
  const sandbox = await startSandbox()
  const client = new ServerClient(sandbox.token, { requestHost: sandbox.apiHost, useHttps: false })
  return { sandbox, client, [Symbol.asyncDispose]: sandbox.close }
}

const page = (filter: object = {}) => ({ count: 100, offset: 0, ...filter })

describe('messages', () => {
  it('finds them by each of Postmark’s filters', async () => {
    await using use = await start()
    const { sandbox, client } = use
    const first = await send(sandbox, { 'X-PM-Tag': 'welcome', 'X-PM-Metadata-Order-ID': '42' })
    const second = await send(
      sandbox,
      { 'X-PM-Metadata-order-id': '43' },
      { subject: 'Your receipt', cc: 'Bob@example.com' },
    )
    const third = await send(sandbox, { 'X-PM-Message-Stream': 'broadcast' })
    await send(sandbox, { 'X-PM-Message-Stream': 'nowhere' })
    const ids = async (filter: object) =>
      (await client.getOutboundMessages(page(filter))).Messages.map(({ MessageID }) => MessageID)
    expect(await ids({})).toEqual([second.messageId, first.messageId])
    expect(await ids({ count: 1, offset: 1 })).toEqual([first.messageId])
    expect(await ids({ messageStream: 'broadcast' })).toEqual([third.messageId])
    expect(await ids({ 'metadata_order-id': '42' })).toEqual([first.messageId])
    expect(await ids({ tag: 'welcome' })).toEqual([first.messageId])
    expect(await ids({ recipient: 'bob@example.com' })).toEqual([second.messageId])
    expect(await ids({ fromEmail: 'shop@example.com', subject: 'RECEIPT' })).toEqual([second.messageId])
    expect(await ids({ fromEmail: 'other@example.com' })).toEqual([])
    expect(await ids({ status: 'sent' })).toEqual([second.messageId, first.messageId])
    expect(await ids({ status: 'queued' })).toEqual([])
    expect(await ids({ fromDate: '2099-01-01' })).toEqual([])
    await expect(ids({ metadata_a: '1', metadata_b: '2' })).rejects.toMatchObject({ code: 700 })
    await expect(ids({ count: 501 })).rejects.toMatchObject({ code: 700 })
  })

  it('shows one with its text, its source and what happened to it', async () => {
    await using use = await start()
    const { sandbox, client } = use
    const mail = await send(
      sandbox,
      { 'X-PM-Tag': 'welcome', 'X-PM-Metadata-order': '42', 'X-PM-TrackOpens': 'true' },
      {
        cc: 'Bob <bob@example.com>',
        bcc: 'audit@example.com',
        html: '<p>Hi</p>',
        attachments: [{ filename: 'a.txt', content: 'x' }],
      },
    )
    sandbox.open(mail)
    await sandbox.click(mail)
    sandbox.bounce(mail, 'SoftBounce', 'bob@example.com')
    sandbox.unsubscribe(mail)
    const details = await client.getOutboundMessageDetails(mail.messageId)
    expect(details).toMatchObject({
      MessageID: mail.messageId,
      Tag: 'welcome',
      MessageStream: 'outbound',
      To: [{ Email: 'ann@example.com', Name: 'Ann' }],
      Cc: [{ Email: 'bob@example.com', Name: 'Bob' }],
      Bcc: [{ Email: 'audit@example.com', Name: null }],
      Recipients: ['ann@example.com', 'bob@example.com', 'audit@example.com'],
      From: 'Shop <shop@example.com>',
      Subject: 'Welcome',
      Attachments: ['a.txt'],
      Status: 'Sent',
      TrackOpens: true,
      TrackLinks: 'None',
      // Nodemailer spells the header anew.
      Metadata: { Order: '42' },
      HtmlBody: expect.stringContaining('<p>Hi</p>'),
      ReceivedAt: expect.stringMatching(/\.\d{7}-0[45]:00$/),
    })
    expect(details.TextBody).toContain('Hello')
    expect(details.Body).toContain('Subject: Welcome')
    expect(details.MessageEvents.map(({ Type, Recipient }) => `${Type} ${Recipient}`)).toEqual([
      'Delivered ann@example.com',
      'Delivered bob@example.com',
      'Delivered audit@example.com',
      'Opened ann@example.com',
      'LinkClicked ann@example.com',
      'Bounced bob@example.com',
      'SubscriptionChanged ann@example.com',
    ])
    expect((await client.getOutboundMessageDump(mail.messageId)).Body).toBe(mail.raw.toString())
    await expect(client.getOutboundMessageDetails('nothing')).rejects.toMatchObject({
      code: 701,
      statusCode: 422,
    })
  })

  it('lists opens and clicks, of all and of one', async () => {
    await using use = await start()
    const { sandbox, client } = use
    const [first, second] = [await send(sandbox, { 'X-PM-Tag': 'welcome' }), await send(sandbox)]
    sandbox.open(first)
    sandbox.open(second)
    await sandbox.click(first)
    const opens = await client.getMessageOpens(page())
    expect(opens).toMatchObject({
      TotalCount: 2,
      Opens: [{ MessageID: second.messageId }, { RecordType: 'Open' }],
    })
    expect(await client.getMessageOpens(page({ tag: 'welcome' }))).toMatchObject({ TotalCount: 1 })
    expect(await client.getMessageOpens(page({ platform: 'Mobile' }))).toMatchObject({ TotalCount: 0 })
    expect(await client.getMessageOpensForSingleMessage(first.messageId)).toMatchObject({ TotalCount: 1 })
    expect(await client.getMessageClicks(page({ client_family: 'Firefox' }))).toMatchObject({
      TotalCount: 1,
      Clicks: [{ OriginalLink: 'https://example.com/start', Recipient: 'ann@example.com' }],
    })
    expect(await client.getMessageClicksForSingleMessage(second.messageId)).toMatchObject({ Clicks: [] })
  })
})
