import { isPostmarkError } from '@postmark-smtp/core'
import { size } from '@postmark-smtp/testing'
import { expect, it } from 'vitest'
import { createWebhookHandler, parseWebhook } from './index.js'

/** Numbers that look random, the same in each run. */
function createRandom(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}

const KEYS = (
  'RecordType Type MessageID Metadata Tag Email Recipient BouncedAt DeliveredAt ReceivedAt ChangedAt Date Details ' +
  'Description Content ID ServerID SuppressSending SuppressionReason FirstOpen FromFull To ToFull RawEmail Headers ' +
  'OriginalRecipient Inactive ' +
  '__proto__ constructor prototype toString hasOwnProperty'
).split(' ')
const VALUES = [
  'null',
  'true',
  'false',
  '""',
  '"Bounce"',
  '"SMTPApiError"',
  '"SubscriptionChange"',
  '"Inbound"',
  '"__proto__"',
  '"HardBounce"',
  '"2026-02-03T04:05:06.7891234-05:00"',
  '"00000000-0000-0000-0000-000000000000"',
  `"ErrorCode${' '.repeat(500)}:406"`,
  '"\\ud800\\u0000\\n"',
  '1e400',
  '-1e400',
  '9007199254740993',
  `1${'0'.repeat(300)}`,
  '-0',
  '0.1e-400',
  '[]',
  '{}',
  '[[[]]]',
  '[null,{"Name":"Received","Value":";;"},{"Name":7,"Value":{}},{"Email":[]}]',
  `"From: ${'\\\\\\"'.repeat(500)}<\\nSubject: =?x?b?=?==?utf-8?q?=ff?=\\nReceived:\\n\\n"`,
  '{"__proto__":{"polluted":true}}',
  '{"constructor":{"prototype":{"polluted":true}}}',
  '{"a":{"b":["c"]},"d":7,"__proto__":"x"}',
  `${'['.repeat(200)}${']'.repeat(200)}`,
  `${'{"a":'.repeat(100)}1${'}'.repeat(100)}`,
  '"unfinished',
  '{"a"',
  'NaN',
  '\u0000',
]

function createBody(random: (below: number) => number): string {
  const pick = <T>(list: readonly T[]): T => list[random(list.length)]!
  const fields = Array.from({ length: random(8) }, () => `"${pick(KEYS)}":${pick(VALUES)}`)
  const body = random(20) === 0 ? pick(VALUES) : `{${fields.join(',')}}`
  return random(5) === 0 ? body.slice(0, random(body.length)) : body
}

it('reads hostile bodies: no throw escapes, no prototype changes, memory is bounded', async () => {
  const random = createRandom(17)
  const prototypes = [Object.prototype, Array.prototype, String.prototype, Function.prototype]
  const own = () => JSON.stringify(prototypes.map((prototype) => Reflect.ownKeys(prototype).map(String)))
  const before = own()
  const told: unknown[] = []
  const handle = createWebhookHandler({
    auth: { header: { name: 'x-secret', value: 'hostile-5b7d9f' } },
    on: { any: ({ raw }) => void JSON.stringify(raw) },
    onError: (error) => told.push(error),
  })
  const headers = { 'x-secret': 'hostile-5b7d9f' }
  const counts = { read: 0, refused: 0, answered: new Map<number, number>() }
  const rounds = size(400_000, 8, 1_000_000)
  let heapAfterWarmUp = 0
  for (let round = 0; round < rounds; round++) {
    const body = createBody(random)
    if (round % 50 === 0) {
      const { status } = await handle(new Request('http://localhost', { method: 'POST', headers, body }))
      counts.answered.set(status, (counts.answered.get(status) ?? 0) + 1)
    } else {
      try {
        const event = parseWebhook(body)
        if (Object.hasOwn(event, '__proto__') || 'polluted' in event.metadata)
          throw new Error(`polluted by ${body}`)
        counts.read += 1
      } catch (error) {
        if (!isPostmarkError(error)) throw error
        counts.refused += 1
      }
    }
    if (round === Math.floor(rounds / 4)) heapAfterWarmUp = process.memoryUsage().heapUsed
  }
  expect(own()).toBe(before)
  expect('polluted' in {}).toBe(false)
  expect([...counts.answered.keys()].sort()).toEqual([200, 400])
  expect(counts.read).toBeGreaterThan(rounds / 3)
  expect(counts.refused).toBeGreaterThan(rounds / 10)
  expect(told).toEqual([])
  expect(process.memoryUsage().heapUsed - heapAfterWarmUp).toBeLessThan(200e6)
})

it('refuses bodies of 10 MB that nest deep, before anything is built of them', async () => {
  const handle = createWebhookHandler({
    auth: { header: { name: 'x-secret', value: 'hostile-5b7d9f' } },
    on: {},
  })
  const half = 5 * 1024 * 1024
  for (const body of ['['.repeat(2 * half), '['.repeat(half) + ']'.repeat(half), '{"a":'.repeat(half / 4)]) {
    const init = { method: 'POST', headers: { 'x-secret': 'hostile-5b7d9f' }, body }
    const { status } = await handle(new Request('http://localhost', init))
    expect(status).toBe(400)
  }
})

it('reads a text of 10 MB, where a pattern that looks back would take minutes', async () => {
  const quotes = JSON.stringify({
    Content: '\\"'.repeat(2_000_000),
    Details: `ErrorCode${' '.repeat(1_000_000)}x`,
  })
  const slashes = `{"Type":"SMTPApiError","Content":"${'\\\\'.repeat(2_000_000)}"}`
  for (const body of [quotes, slashes]) {
    const handle = createWebhookHandler({
      auth: { header: { name: 'x-secret', value: 'hostile-5b7d9f' } },
      on: {},
    })
    const init = { method: 'POST', headers: { 'x-secret': 'hostile-5b7d9f' }, body }
    expect((await handle(new Request('http://localhost', init))).status).toBe(200)
  }
})
