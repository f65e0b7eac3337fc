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

describe('suppressions', () => {
  it('suppresses and reactivates addresses, whom emails then reach or not', async () => {
    await using use = await start()
    const { sandbox, client } = use
    const of = (...addresses: string[]) => ({
      Suppressions: addresses.map((EmailAddress) => ({ EmailAddress })),
    })
    const mail = await send(sandbox, {}, { to: 'spam@example.com, gone@example.com, ann@example.com' })
    sandbox.complain(mail, 'spam@example.com')
    sandbox.bounce(mail, 'HardBounce', 'gone@example.com')
    sandbox.unsubscribe(mail, 'ann@example.com')

    expect(
      await client.createSuppressions('outbound', of('bob@example.com', 'spam@example.com', 'no address')),
    ).toEqual({
      Suppressions: [
        { EmailAddress: 'bob@example.com', Status: 'Suppressed', Message: null },
        { EmailAddress: 'spam@example.com', Status: 'Failed', Message: expect.stringContaining('authority') },
        { EmailAddress: 'no address', Status: 'Failed', Message: expect.stringContaining('invalid') },
      ],
    })
    expect((await send(sandbox, {}, { to: 'bob@example.com' })).verdict).toMatchObject({
      problems: [{ errorCode: 406 }],
    })
    const dump = async (filter: object) =>
      (await client.getSuppressions('outbound', filter)).Suppressions.map(({ EmailAddress }) => EmailAddress)
    expect(await dump({})).toEqual([
      'spam@example.com',
      'gone@example.com',
      'ann@example.com',
      'bob@example.com',
    ])
    expect(await dump({ suppressionReason: 'HardBounce' })).toEqual(['gone@example.com'])
    expect(await dump({ origin: 'Customer' })).toEqual(['bob@example.com'])
    expect(await dump({ emailAddress: 'ANN@example.com' })).toEqual(['ann@example.com'])
    expect(await dump({ fromDate: '2099-01-01' })).toEqual([])

    const { Suppressions } = await client.deleteSuppressions(
      'outbound',
      of('bob@example.com', 'gone@example.com', 'spam@example.com', 'ann@example.com', 'nobody@example.com'),
    )
    expect(Suppressions.map(({ Status }) => Status)).toEqual([
      'Deleted',
      'Deleted',
      'Failed',
      'Failed',
      'Deleted',
    ])
    expect(await dump({})).toEqual(['spam@example.com', 'ann@example.com'])
    expect((await client.getBounces(page({ type: 'HardBounce' }))).Bounces).toMatchObject([
      { Inactive: false },
    ])
  })

  it.each([
    ['nothing', { Suppressions: [] }, 1226],
    ['outbound', {}, 1409],
    ['outbound', { Suppressions: Array.from({ length: 51 }, () => ({ EmailAddress: 'a@b.c' })) }, 1410],
  ])('refuses what Postmark refuses, on stream %s', async (stream, body, code) => {
    await using use = await start()
    await expect(use.client.createSuppressions(stream, body as never)).rejects.toMatchObject({
      code,
      statusCode: 422,
    })
  })

  it('refuses a filter that means nothing', async () => {
    await using use = await start()
    const dump = (filter: object) => use.client.getSuppressions('outbound', filter)
    await expect(dump({ suppressionReason: 'Boredom' })).rejects.toMatchObject({ code: 1404 })
    await expect(dump({ origin: 'Moon' })).rejects.toMatchObject({ code: 1405 })
  })
})
