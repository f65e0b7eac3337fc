import { sendWelcome as send } from '@postmark-smtp/testing'
import { Errors, ServerClient } from 'postmark'
import { describe, expect, it } from 'vitest'
import { startSandbox } from '../../sandbox.js'

async function start() {
  const sandbox = await startSandbox()
  const client = new ServerClient(sandbox.token, { requestHost: sandbox.apiHost, useHttps: false })
  return { sandbox, client, [Symbol.asyncDispose]: sandbox.close }
}

const page = (filter: object = {}) => ({ count: 100, offset: 0, ...filter })

describe('bounces', () => {
  it('lists them, the newest first, by Postmark’s filters', async () => {
    await using use = await start()
    const { sandbox, client } = use
    const first = await send(sandbox, { 'X-PM-Tag': 'welcome' }, { to: 'Ann@example.com, bob@example.com' })
    const second = await send(sandbox, { 'X-PM-Message-Stream': 'broadcast' })
    const hard = sandbox.bounce(first, 'HardBounce')
    const soft = sandbox.bounce(first, 'SoftBounce', 'bob@example.com')
    const other = sandbox.bounce(second, 'Blocked')
    const ids = async (filter: object) => {
      const { TotalCount, Bounces } = await client.getBounces(page(filter))
      expect(TotalCount).toBe(Bounces.length)
      return Bounces.map(({ ID }) => ID)
    }
    expect(await ids({})).toEqual([soft.id, hard.id])
    expect(await ids({ messageStream: 'broadcast' })).toEqual([other.id])
    expect(await ids({ type: 'HardBounce' })).toEqual([hard.id])
    expect(await ids({ inactive: true })).toEqual([hard.id])
    expect(await ids({ inactive: false })).toEqual([soft.id])
    expect(await ids({ inactive: 1 })).toEqual([hard.id])
    expect(await ids({ inactive: 0 })).toEqual([soft.id])
    await expect(ids({ inactive: 2 })).rejects.toMatchObject({ code: 1000 })
    expect(await ids({ emailFilter: 'ANN@' })).toEqual([hard.id])
    expect(await ids({ tag: 'welcome' })).toEqual([soft.id, hard.id])
    expect(await ids({ tag: 'other' })).toEqual([])
    expect(await ids({ messageID: first.messageId })).toEqual([soft.id, hard.id])
    expect(await ids({ fromDate: '2020-01-01', toDate: '2099-01-01T00:00:00' })).toEqual([soft.id, hard.id])
    expect(await ids({ toDate: '2020-01-01' })).toEqual([])
  })

  it('shows one in Postmark’s shape, and its dump for 30 days', async () => {
    await using use = await start()
    const mail = await send(use.sandbox, { 'X-PM-Tag': 'welcome' })
    const { id } = use.sandbox.bounce(mail, 'HardBounce')
    const shape = {
      RecordType: 'Bounce',
      ID: id,
      Type: 'HardBounce',
      TypeCode: 1,
      Name: 'Hard bounce',
      Tag: 'welcome',
      MessageID: mail.messageId,
      ServerID: 1,
      MessageStream: 'outbound',
      Description: expect.any(String),
      Details: expect.any(String),
      Email: 'ann@example.com',
      From: 'shop@example.com',
      BouncedAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{7}Z$/),
      DumpAvailable: true,
      Inactive: true,
      CanActivate: true,
      Subject: 'Welcome',
    }
    expect((await use.client.getBounces(page())).Bounces).toEqual([shape])
    expect(await use.client.getBounce(id)).toEqual({ ...shape, Content: expect.stringContaining('Welcome') })
    expect((await use.client.getBounceDump(id)).Body).toContain('Subject: Welcome')

    await use.sandbox.advance(31 * 86_400_000)
    expect(await use.client.getBounceDump(id)).toEqual({ Body: '' })
    expect(await use.client.getBounce(id)).toMatchObject({ DumpAvailable: false })
  })

  it('activates what can be, and sends to the address again', async () => {
    await using use = await start()
    const mail = await send(use.sandbox)
    const { id } = use.sandbox.bounce(mail, 'HardBounce')
    expect(use.sandbox.suppressions).toHaveLength(1)
    const { Message, Bounce } = await use.client.activateBounce(id)
    expect([Message, Bounce.Inactive]).toEqual(['OK', false])
    expect(use.sandbox.suppressions).toEqual([])

    use.sandbox.complain(mail)
    const complaint = use.sandbox.bounces.at(-1)!
    await expect(use.client.activateBounce(complaint.id)).rejects.toMatchObject({
      code: 1003,
      statusCode: 422,
    })
  })

  it('counts them by type', async () => {
    await using use = await start()
    const mail = await send(use.sandbox)
    expect(await use.client.getDeliveryStatistics()).toEqual({
      InactiveMails: 0,
      Bounces: [{ Name: 'All', Count: 0 }],
    })
    use.sandbox.bounce(mail, 'SoftBounce')
    use.sandbox.bounce(mail, 'SoftBounce')
    use.sandbox.bounce(mail, 'HardBounce')
    expect(await use.client.getDeliveryStatistics()).toEqual({
      InactiveMails: 1,
      Bounces: [
        { Name: 'All', Count: 3 },
        { Type: 'SoftBounce', Name: 'Soft bounce', Count: 2 },
        { Type: 'HardBounce', Name: 'Hard bounce', Count: 1 },
      ],
    })
  })

  it.each([
    ['count=501&offset=0', 1000],
    ['count=0&offset=0', 1000],
    ['count=-1&offset=0', 1000],
    ['count=500', 1000],
    ['offset=0', 1000],
    ['count=500&offset=9501', 1000],
    ['count=1&offset=0&type=Quantum', 1000],
    ['count=1&offset=0&inactive=perhaps', 1000],
    ['count=1&offset=0&fromdate=yesterday', 1000],
    ['count=500&offset=9500', 0],
    ['COUNT=1&Offset=0&INACTIVE=True', 0],
  ])('judges the query %s as Postmark does', async (query, code) => {
    await using sandbox = await startSandbox()
    const headers = { 'X-Postmark-Server-Token': sandbox.token }
    const response = await fetch(`${sandbox.apiUrl}/bounces?${query}`, { headers })
    expect(response.status).toBe(code === 0 ? 200 : 422)
    expect(((await response.json()) as { ErrorCode?: number }).ErrorCode ?? 0).toBe(code)
  })

  it('knows no bounce of another number', async () => {
    await using use = await start()
    const error = await use.client.getBounce(42).catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(Errors.ApiInputError)
    expect(error).toMatchObject({ code: 1001, statusCode: 422 })
    await expect(use.client.getBounceDump(42)).rejects.toMatchObject({ code: 1001 })
    await expect(use.client.activateBounce(42)).rejects.toMatchObject({ code: 1001 })
  })
})
