import { createPostmarkTransport } from '@postmark-smtp/core'
import { startSandbox } from '@postmark-smtp/sandbox'
import { ServerClient } from 'postmark'
import { afterEach, describe, expect, it } from 'vitest'
import { type FindMailQuery, findMail, type MailClient, type MailFilter } from './index.js'

const ANN = 'ann@example.com'
const retry = { attempts: 2, baseMs: 1 }
const cleanup: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of cleanup.splice(0).reverse()) await close()
})

/** An application, the sandbox, and the official client of its API. */
async function start() {
  const sandbox = await startSandbox()
  cleanup.push(sandbox.close)
  const transporter = createPostmarkTransport({ url: sandbox.url })
  cleanup.push(() => transporter.close())
  const client = new ServerClient(sandbox.token, { requestHost: sandbox.apiHost, useHttps: false })
  const sentAfter = new Date(Date.now() - 1000)
  const send = async (metadata: Record<string, string>, more: object = {}) => {
    const postmark = { metadata, ...more }
    await transporter.sendMail({ from: 'shop@example.com', to: ANN, subject: 'Hi', text: 'Hello', postmark })
    return sandbox.outbox.at(-1)!
  }
  const find = (metadata: Record<string, string>, more: Partial<FindMailQuery> = {}) =>
    findMail(client, { metadata, sentAfter, retry, searchDelayMs: 0, ...more })
  return { sandbox, client, send, find, sentAfter }
}

describe('findMail with the official client', () => {
  it('finds an email that was sent, with its MessageID and status', async () => {
    const { send, find } = await start()
    await send({ order: 'o-1' })
    const mail = await send({ order: 'o-2' })
    expect(await find({ order: 'o-2' })).toEqual({
      state: 'sent',
      messageId: mail.messageId,
      status: 'Sent',
      recipients: [ANN],
      receivedAt: expect.any(Date),
      copies: 1,
    })
  })

  it('finds one that was sent twice, and says so', async () => {
    const { send, find } = await start()
    await send({ order: 'o-1' })
    const newest = await send({ order: 'o-1' })
    expect(await find({ order: 'o-1' })).toMatchObject({ messageId: newest.messageId, copies: 2 })
  })

  it('finds one that Postmark refused after its 250, with the error code', async () => {
    const { sandbox, send, find } = await start()
    sandbox.suppress(ANN)
    await send({ order: 'o-1' })
    await send({ order: 'o-2' })
    expect(await find({ order: 'o-1' })).toEqual({
      state: 'refused',
      errorCode: 406,
      cause: expect.stringContaining('suppressed'),
      cure: expect.any(String),
      bounceId: sandbox.bounces[0]?.id,
      recipient: ANN,
      at: expect.any(Date),
    })
  })

  it('tells one that was sent from a bounce that came later', async () => {
    const { sandbox, send, find } = await start()
    sandbox.bounce(await send({ order: 'o-1' }), 'HardBounce')
    expect(await find({ order: 'o-1' })).toMatchObject({ state: 'sent' })
  })

  it('compares all of the metadata, of which Postmark searches by one field', async () => {
    const { send, find } = await start()
    await send({ order: 'o-1', part: 'a' })
    const mail = await send({ order: 'o-1', part: 'b' })
    expect(await find({ order: 'o-1', part: 'b' })).toMatchObject({ messageId: mail.messageId, copies: 1 })
    expect(await find({ order: 'o-1', part: 'c' })).toMatchObject({ state: 'not-found' })
  })

  it('compares all of the metadata of a refused email as well', async () => {
    const { sandbox, send, find } = await start()
    sandbox.suppress(ANN)
    await send({ order: 'o-1', part: 'a' })
    expect(await find({ order: 'o-1', part: 'b' })).toMatchObject({ state: 'not-found', doubts: [] })
    expect(await find({ order: 'o-1', part: 'a' })).toMatchObject({ state: 'refused' })
  })

  it('searches one stream, and says since and until when an email would have been found', async () => {
    const { send, find, sentAfter } = await start()
    await send({ order: 'o-1' }, { messageStream: 'broadcast' })
    const before = Date.now()
    const found = await find({ order: 'o-1' }, { searchDelayMs: 5000 })
    expect(found).toEqual({
      state: 'not-found',
      trusted: { from: sentAfter, until: expect.any(Date) },
      doubts: [],
    })
    const until = found.state === 'not-found' ? found.trusted!.until.getTime() + 5000 : 0
    expect(until).toBeGreaterThanOrEqual(before)
    expect(until).toBeLessThanOrEqual(Date.now())
    expect(await find({ order: 'o-1' }, { stream: 'broadcast' })).toMatchObject({ state: 'sent' })
  })
})

/** A client that answers from a list of emails, as Postmark does; each question is noted. */
function createClient(messages: readonly object[], more: Partial<MailClient> & { total?: unknown } = {}) {
  const asked: MailFilter[] = []
  const client: MailClient = {
    getOutboundMessages: async (filter = {}) => {
      asked.push(filter)
      const { count = 0, offset = 0 } = filter
      const total = more.total ?? messages.length
      return { TotalCount: total as number, Messages: messages.slice(offset, offset + count) }
    },
    ...more,
  }
  return { client, asked }
}
const mail = (MessageID: string, Metadata?: unknown) => ({
  MessageID,
  Status: 'Queued',
  ...(Metadata === undefined ? {} : { Metadata }),
})
const query: FindMailQuery = { metadata: { order: 'o-1' }, sentAfter: new Date(Date.now() - 60_000), retry }

describe('findMail', () => {
  it('asks by the first field, on the stream, from five minutes before sentAfter in Eastern time', async () => {
    const { client, asked } = createClient([])
    const sentAfter = new Date('2026-06-15T16:05:00Z')
    await findMail(client, { metadata: { order: 'o-1', b: '2' }, stream: 'news', sentAfter })
    expect(asked).toEqual([
      {
        metadata_order: 'o-1',
        messageStream: 'news',
        fromDate: '2026-06-15T12:00:00',
        count: 500,
        offset: 0,
      },
    ])
  })

  it('reads page after page, each of 500', async () => {
    const others = Array.from({ length: 1200 }, (_, n) => mail(`m-${n}`, { order: 'o-1', n: String(n) }))
    const { client, asked } = createClient(others)
    expect(await findMail(client, { ...query, metadata: { order: 'o-1', n: '1100' } })).toMatchObject({
      state: 'sent',
      messageId: 'm-1100',
      status: 'Queued',
    })
    expect(asked.map(({ offset }) => offset)).toEqual([0, 500, 1000])
  })

  it('counts an email once that is seen on two pages', async () => {
    const page = Array.from({ length: 500 }, (_, n) => mail(`m-${n}`, { order: 'o-1' }))
    const { client } = createClient([...page, page.at(-1)!])
    expect(await findMail(client, query)).toMatchObject({ copies: 500 })
  })

  it.each<[string, string, unknown]>([
    ['with the key in another case', 'sent', { Order: 'o-1' }],
    ['of which the list shows no metadata', 'sent', undefined],
    ['with another value', 'not-found', { order: 'o-2' }],
    ['with a value in another case', 'not-found', { order: 'O-1' }],
    ['with empty metadata, of a server that does not know the filter', 'not-found', {}],
    ['with metadata as an empty list', 'not-found', []],
  ])('reads an email %s as %s', async (_what, state, metadata) => {
    const { client } = createClient([mail('m-1', metadata)])
    expect((await findMail(client, query)).state).toBe(state)
  })

  it.each([['1'], [1]])('takes the number of emails as Postmark writes it: %j', async (total) => {
    const { client, asked } = createClient([mail('m-1', { order: 'o-1' })], { total })
    expect((await findMail(client, query)).state).toBe('sent')
    expect(asked).toHaveLength(1)
  })

  it('does not trust a list that goes beyond what Postmark shows', async () => {
    const others = Array.from({ length: 10_400 }, (_, n) => mail(`m-${n}`, { order: 'o-2' }))
    const { client, asked } = createClient(others)
    expect(await findMail(client, query)).toMatchObject({ state: 'not-found', trusted: undefined })
    expect(asked.map(({ offset = 0, count = 0 }) => offset + count).at(-1)).toBe(10_000)
  })

  it('does not trust a search further back than Postmark may have kept emails', async () => {
    const { client } = createClient([])
    const found = await findMail(client, { ...query, sentAfter: new Date('2026-01-01') })
    const from = found.state === 'not-found' ? found.trusted?.from.getTime() : undefined
    expect(Math.round((Date.now() - from!) / 3_600_000)).toBe(7 * 24)
  })

  it('says that refused emails were not searched where the client does not read bounces', async () => {
    const { client } = createClient([])
    expect(await findMail(client, query)).toMatchObject({
      trusted: expect.anything(),
      doubts: [expect.stringContaining('getBounces')],
    })
  })

  const bounce = (ID: number, Details = '') => ({
    ID,
    Type: 'SMTPApiError',
    Details,
    Email: ANN,
    BouncedAt: new Date().toISOString(),
    DumpAvailable: true,
  })

  it('reads the dump of a refused email also where the list names its error code', async () => {
    const { client } = createClient([], {
      getBounces: async () => ({ TotalCount: 1, Bounces: [bounce(7, 'ErrorCode: 300')] }),
      getBounceDump: async () => ({
        Body: 'ErrorCode: 300\n\nFrom: a@example.com\nX-PM-Metadata-order: o-1',
      }),
    })
    expect(await findMail(client, query)).toMatchObject({ state: 'refused', errorCode: 300, bounceId: 7 })
  })

  it('says how many refused emails could not be compared', async () => {
    const { client } = createClient([], {
      getBounces: async () => ({ TotalCount: 2, Bounces: [bounce(7), bounce(8)] }),
      getBounceDump: async () => ({ Body: '' }),
    })
    expect(await findMail(client, query)).toMatchObject({
      state: 'not-found',
      doubts: [expect.stringMatching(/^2 refused emails .* no metadata/)],
    })
  })

  it('asks again after a failure that may pass, and says so where it lasts', async () => {
    let calls = 0
    const cause = Object.assign(new Error('slow down'), { statusCode: 429 })
    const failing: MailClient = {
      getOutboundMessages: () => {
        calls += 1
        return Promise.reject(cause)
      },
    }
    await expect(findMail(failing, query)).rejects.toMatchObject({
      code: 'ERR_POSTMARK_BOUNCES',
      message: 'The sent emails of the stream "outbound" cannot be searched: slow down',
      cause,
    })
    expect(calls).toBe(2)
  })

  it.each<[string, unknown]>([
    ['null', null],
    ['a page without emails', { TotalCount: 0 }],
    ['a page without a number', { Messages: [] }],
    ['HTML', '<html>'],
  ])('takes %s for no answer', async (_what, answer) => {
    const client = { getOutboundMessages: async () => answer as never }
    await expect(findMail(client, query)).rejects.toThrow('the answer contains no messages')
  })

  it('ends with its signal, and throws its reason', async () => {
    const reason = new Error('enough')
    const { client } = createClient([])
    await expect(findMail(client, { ...query, signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
  })

  it.each<[object, string]>([
    [{ metadata: undefined }, 'metadata is'],
    [{ metadata: {} }, 'metadata is'],
    [{ metadata: { order: 7 } }, 'metadata is'],
    [{ metadata: { order: ' ' } }, 'metadata is'],
    [{ stream: '' }, 'stream is'],
    [{ sentAfter: undefined }, 'sentAfter is'],
    [{ sentAfter: '2026-01-01' }, 'sentAfter is'],
    [{ sentAfter: new Date('x') }, 'sentAfter is'],
    [{ searchDelayMs: -1 }, 'searchDelayMs is'],
    [{ signal: 7 }, 'signal is'],
    [{ retry: { attempts: 0 } }, 'retry.attempts is'],
    [{ streams: ['outbound'] }, 'Unknown option "streams"'],
  ])('refuses the query %j', async (wrong, message) => {
    const { client, asked } = createClient([])
    await expect(findMail(client, { ...query, ...wrong } as FindMailQuery)).rejects.toThrow(message)
    expect(asked).toEqual([])
  })

  it('refuses what is no client', async () => {
    await expect(findMail({} as MailClient, query)).rejects.toThrow('an object with getOutboundMessages')
  })
})
