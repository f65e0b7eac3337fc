import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createPostmarkTransport } from '@postmark-smtp/core'
import { AccountClient, Models, ServerClient } from 'postmark'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Sandbox, startSandbox } from './sandbox.js'

/**
 * What the integration tests of the official client do with a real server, on the sandbox: each call of it that
 * docs/sandbox-library.md names, with the client's own request models and its defaults.
 */

let sandbox: Sandbox
let client: ServerClient
let receiver: Server
let hook: string
beforeAll(async () => {
  sandbox = await startSandbox()
  client = new ServerClient(sandbox.token, { requestHost: sandbox.apiHost, useHttps: false })
  receiver = createServer((_request, response) => response.end()).listen(0, '127.0.0.1')
  await once(receiver, 'listening')
  hook = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/`
  const transporter = createPostmarkTransport(sandbox.url)
  await transporter.sendMail({
    from: 'Shop <shop@example.com>',
    to: 'ann@example.com',
    subject: 'Welcome',
    text: 'Hello',
    html: '<a href="https://example.com/">Hello</a>',
    postmark: { tag: 'welcome', metadata: { 'order-id': '42' } },
  })
  await transporter.close()
  const mail = sandbox.outbox[0]!
  sandbox.open(mail)
  await sandbox.click(mail)
  sandbox.bounce(mail, 'HardBounce')
})
afterAll(async () => {
  await sandbox.close()
  receiver.closeAllConnections()
  await new Promise((resolve) => receiver.close(resolve))
})

describe('the official client', () => {
  it('getServer, editServer', async () => {
    expect((await client.getServer()).ID).toBeGreaterThan(0)
    for (const color of ['red', 'green']) {
      const server = await client.editServer(new Models.UpdateServerRequest(undefined, color))
      expect(server.Color).toBe(color)
    }
  })

  it('getDeliveryStatistics, getBounces, getBounce, getBounceDump, activateBounce', async () => {
    expect((await client.getDeliveryStatistics()).InactiveMails).toBe(1)
    const { TotalCount, Bounces } = await client.getBounces()
    expect(TotalCount).toBe(1)
    const [{ ID }] = Bounces as [Models.Bounce]
    expect((await client.getBounce(ID)).ID).toBe(ID)
    expect((await client.getBounceDump(ID)).Body.length).toBeGreaterThan(0)
    expect((await client.activateBounce(ID)).Message).toBe('OK')
    await expect(client.getBounces({ count: -1, offset: 0 })).rejects.toMatchObject({ name: 'ApiInputError' })
    await expect(client.getBounce(99)).rejects.toMatchObject({ name: 'ApiInputError', code: 1001 })
  })

  it('getOutboundMessages, getOutboundMessageDetails, getOutboundMessageDump', async () => {
    const filter = new Models.OutboundMessagesFilteringParameters(1, 0)
    const { TotalCount, Messages } = await client.getOutboundMessages(filter)
    expect([TotalCount, Messages.length]).toEqual([1, 1])
    const [{ MessageID }] = Messages as [Models.OutboundMessage]
    const details = await client.getOutboundMessageDetails(MessageID)
    expect(details.MessageEvents.map(({ Type }) => Type)).toEqual(
      expect.arrayContaining(['Delivered', 'Opened', 'LinkClicked', 'Bounced']),
    )
    expect((await client.getOutboundMessageDump(MessageID)).Body).toContain('Subject: Welcome')
  })

  it('getMessageOpens, getMessageOpensForSingleMessage, getMessageClicks, getMessageClicksForSingleMessage', async () => {
    const { messageId } = sandbox.outbox[0]!
    expect((await client.getMessageOpens()).TotalCount).toBe(1)
    expect((await client.getMessageOpensForSingleMessage(messageId)).Opens).toHaveLength(1)
    expect((await client.getMessageClicks()).TotalCount).toBe(1)
    expect((await client.getMessageClicksForSingleMessage(messageId)).Clicks).toHaveLength(1)
  })

  it('createMessageStream, editMessageStream, getMessageStreams, getMessageStream, archive and unarchive', async () => {
    expect((await client.getMessageStreams()).TotalCount).toBe(3)
    expect((await client.getMessageStream('outbound')).ID).toBe('outbound')
    const wanted = {
      ID: 'test',
      Name: 'test',
      Description: 'test description',
      MessageStreamType: 'Transactional',
    } as const
    expect((await client.createMessageStream(wanted)).Description).toBe('test description')
    expect((await client.editMessageStream('test', { Name: 'other' })).Name).toBe('other')
    expect((await client.getMessageStreams()).TotalCount).toBe(4)
    expect((await client.archiveMessageStream('test')).ID).toBe('test')
    expect((await client.unarchiveMessageStream('test')).MessageStreamType).toBe('Transactional')
  })

  it('createSuppressions, getSuppressions, deleteSuppressions', async () => {
    const list = { Suppressions: [{ EmailAddress: 'nothing+list@example.com' }] }
    expect((await client.createSuppressions('outbound', list)).Suppressions).toHaveLength(1)
    expect((await client.getSuppressions('outbound')).Suppressions.length).toBeGreaterThanOrEqual(1)
    expect((await client.deleteSuppressions('outbound', list)).Suppressions).toHaveLength(1)
  })

  it('createWebhook, getWebhooks, getWebhook, editWebhook, deleteWebhook', async () => {
    const { ID } = await client.createWebhook(
      new Models.CreateWebhookRequest(hook, { Open: { Enabled: true } }),
    )
    expect((await client.getWebhooks()).Webhooks).toHaveLength(1)
    expect((await client.getWebhook(ID)).ID).toBe(ID)
    const edited = await client.editWebhook(ID, { Triggers: { SpamComplaint: { Enabled: true } } })
    expect(edited.Triggers.SpamComplaint?.Enabled).toBe(true)
    expect((await client.deleteWebhook(ID)).Message).not.toBe('')
  })

  it('learns that there is no account, no template and no sending by REST', async () => {
    const account = new AccountClient('account', { requestHost: sandbox.apiHost, useHttps: false })
    const calls = [account.getServers(), account.getDomains(), client.getTemplates()]
    const message = { From: 'shop@example.com', To: 'ann@example.com', Subject: 'Hi', TextBody: 'Hello' }
    for (const call of [...calls, client.sendEmail(message)])
      await expect(call).rejects.toMatchObject({ name: 'PostmarkError', statusCode: 404 })
  })
})
