import { describe, expect, it } from 'vitest'
import { checkSuppressions } from './check-suppressions.js'
import { createSuppressionList, type SuppressionStore } from './suppression-list.js'

const message = {
  to: 'Ann <Ann@Example.com>, bob@example.com',
  bcc: { name: 'C', address: 'cy@example.com' },
}
type Find = SuppressionStore['find']
const check = (find: unknown, limitMs?: number) =>
  checkSuppressions(message, 'outbound', { find: find as Find }, limitMs)

describe('checkSuppressions', () => {
  it('asks once, for every recipient in lower case, with the stream', async () => {
    const asked: unknown[] = []
    await check((...question: unknown[]) => {
      asked.push(question)
      return []
    })
    expect(asked).toEqual([[['ann@example.com', 'bob@example.com', 'cy@example.com'], 'outbound']])
  })

  it('does not ask about an email without recipients', async () => {
    let asked = 0
    const find = () => {
      asked++
      return []
    }
    expect(await checkSuppressions({ subject: 'none' }, 'outbound', { find })).toEqual({
      warnings: [],
      refusal: undefined,
    })
    expect(asked).toBe(0)
  })

  it.each([
    ['at once', (list: string[]) => list],
    ['later', async (list: string[]) => list],
  ])('warns of each suppressed recipient where the store answers %s', async (_when, wrap) => {
    const { warnings, refusal } = await check(() =>
      wrap([' ANN@example.COM', 'cy@example.com', 'z@z.example']),
    )
    expect(warnings).toMatchObject([
      { path: 'to', recipient: 'Ann@Example.com', errorCode: 406, severity: 'warning' },
      { path: 'to', recipient: 'cy@example.com', errorCode: 406, severity: 'warning' },
    ])
    expect(refusal).toBeUndefined()
  })

  it('refuses an email whose recipients are all suppressed, and names each', async () => {
    const { refusal } = await check((addresses: string[]) => addresses)
    expect(refusal).toMatchObject({
      code: 'ERR_POSTMARK_SUPPRESSED',
      message: 'The email was not sent: all 3 recipients are suppressed on the stream "outbound".',
      problems: [
        { recipient: 'Ann@Example.com', severity: 'error', errorCode: 406 },
        { recipient: 'bob@example.com' },
        { recipient: 'cy@example.com' },
      ],
    })
  })

  it('counts an address in two spellings once', async () => {
    const twice = { to: ['ann@example.com', 'ANN@example.com'] }
    const { refusal } = await checkSuppressions(twice, 'outbound', { find: () => ['ann@example.com'] })
    expect(refusal?.problems).toHaveLength(1)
  })

  it.each([
    ['ann@bücher.example', 'ANN@xn--bcher-kva.example'],
    ['ann@xn--bcher-kva.example', 'ann@Bücher.example'],
    ['"john doe"@example.com', '"John Doe"@example.com'],
    ['"ann"@example.com', 'ann@example.com'],
    ['ann@example.com', '"ann"@example.com'],
  ])('knows an email to %s by the suppression of %s', async (to, address) => {
    const list = createSuppressionList()
    list.add({ address, stream: 'outbound' })
    const ofList = await checkSuppressions({ to: [to] }, 'outbound', list)
    expect(ofList.refusal?.problems).toHaveLength(1)
    // A store of one's own answers with what it holds.
    const ofStore = await checkSuppressions({ to: [to] }, 'outbound', { find: () => [address] })
    expect(ofStore.refusal?.problems).toHaveLength(1)
    list.remove({ address: to, stream: 'outbound' })
    expect(list.list()).toEqual([])
  })

  const secret = 'redis://user:s3cr3t@db'
  it.each([
    [
      'throws',
      () => {
        throw new TypeError(secret)
      },
      'failed with TypeError',
    ],
    ['rejects', () => Promise.reject(new Error(secret)), 'failed with Error'],
    ['rejects with a text', () => Promise.reject(secret), 'failed with a value'],
    ['answers with nothing', () => null, 'did not return an array'],
    ['answers with a set', () => new Set([secret]), 'did not return an array'],
    ['answers with a text', () => secret, 'did not return an array'],
    ['answers undefined', () => undefined, 'did not answer within 0.02 s'],
    ['never answers', () => new Promise(() => {}), 'did not answer within 0.02 s'],
  ])('makes one warning, without the error\u2019s text, of a store that %s', async (_what, find, found) => {
    const { warnings, refusal } = await check(find, 20)
    expect(warnings).toMatchObject([{ path: 'suppressions', found, severity: 'warning' }])
    expect(JSON.stringify(warnings)).not.toContain('s3cr3t')
    expect(refusal).toBeUndefined()
  })

  it('drops an answer and a failure that come too late', async () => {
    let fail: (error: Error) => void = () => {}
    const late = new Promise<never>((_, reject) => {
      fail = reject
    })
    const { warnings } = await check(() => late, 1)
    expect(warnings).toHaveLength(1)
    fail(new Error('too late'))
    // A rejection that nobody handles would fail this run.
    await new Promise(setImmediate)
  })
})

describe('createSuppressionList', () => {
  const at = (seconds: number) => new Date(Date.UTC(2026, 0, 1, 0, 0, seconds))
  const address = 'ann@example.com'
  const stream = 'outbound'

  it('finds by address without case, and by stream', () => {
    const list = createSuppressionList()
    list.add({ address: ' Ann@Example.com', stream, reason: 'HardBounce' })
    expect(list.find(['ANN@EXAMPLE.COM', 'bob@example.com'], stream)).toEqual(['ANN@EXAMPLE.COM'])
    expect(list.find([address], 'broadcast')).toEqual([])
    expect(list.list()).toMatchObject([{ stream, reason: 'HardBounce' }])
    list.remove({ address: 'ann@example.COM', stream: 'broadcast' })
    expect(list.find([address], stream)).toEqual([address])
    list.remove({ address: 'ann@example.COM', stream })
    expect(list.find([address], stream)).toEqual([])
    expect(list.list()).toEqual([])
  })

  it.each([
    ['in order', [1, 'add', 2, 'remove'], []],
    ['the other way round', [2, 'remove', 1, 'add'], []],
    ['an old removal after it', [2, 'add', 1, 'remove'], [address]],
    ['a new one after a removal', [1, 'remove', 2, 'add'], [address]],
    ['both at one time, as told', [1, 'add', 1, 'remove'], []],
  ] as const)('lets the later change count: %s', (_title, [first, what, second, then], left) => {
    const list = createSuppressionList()
    list[what]({ address, stream, at: at(first) })
    list[then]({ address, stream, at: at(second) })
    expect(list.find([address], stream)).toEqual(left)
  })
})
