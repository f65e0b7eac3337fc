import { createTransport } from 'nodemailer'
import { ServerClient } from 'postmark'
import { afterEach, describe, expect, it } from 'vitest'
import { type SandboxOptions, startSandbox } from '../../sandbox.js'

const cleanup: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of cleanup.splice(0).reverse()) await close()
})

async function start(options: SandboxOptions) {
  const sandbox = await startSandbox(options)
  cleanup.push(sandbox.close)
  const { host, port, token } = sandbox
  const client = new ServerClient(token, { requestHost: sandbox.apiHost, useHttps: false })
  const transport = createTransport({ host, port, ignoreTLS: true, auth: { user: token, pass: token } })
  sandbox.suppress('bob@example.com')
  for (const to of ['ann@example.com', 'bob@example.com'])
    await transport.sendMail({ from: 'shop@example.com', to, subject: 'Hi', text: 'Hello' })
  const counts = async () => {
    const { TotalCount: mails } = await client.getOutboundMessages()
    const { TotalCount: bounces } = await client.getBounces()
    return { mails, bounces }
  }
  return { sandbox, client, counts }
}

describe('searchDelayMs', () => {
  it('keeps emails and bounces from searches until the sandbox’s clock is so much further', async () => {
    const { sandbox, counts } = await start({ searchDelayMs: 60_000 })
    expect(sandbox.outbox).toHaveLength(2)
    expect(await counts()).toEqual({ mails: 0, bounces: 0 })
    await sandbox.advance(30_000)
    expect(await counts()).toEqual({ mails: 0, bounces: 0 })
    await sandbox.advance(30_000)
    expect(await counts()).toEqual({ mails: 1, bounces: 1 })
  })

  it('leaves alone what is asked for by its ID', async () => {
    const { sandbox, client } = await start({ searchDelayMs: 60_000 })
    const { messageId } = sandbox.outbox[0]!
    const { id } = sandbox.bounces[0]!
    expect((await client.getOutboundMessageDetails(messageId)).MessageID).toBe(messageId)
    expect((await client.getBounce(id)).ID).toBe(id)
    expect((await client.getBounceDump(id)).Body).not.toBe('')
  })

  it('is 0 by default', async () => {
    const { counts } = await start({})
    expect(await counts()).toEqual({ mails: 1, bounces: 1 })
  })

  it.each([-1, Number.NaN, Number.POSITIVE_INFINITY, '60'])(
    'is refused where it is %j',
    async (searchDelayMs) => {
      await expect(startSandbox({ searchDelayMs: searchDelayMs as number })).rejects.toThrow(
        'Option searchDelayMs is',
      )
    },
  )
})
