import { size } from '@postmark-smtp/testing'
import { expect, it } from 'vitest'
import { type ScriptedTrial, tryScript } from './matrix/scripted-trial.js'
import { cutAfter, type SpokenLine } from './matrix/spoken-line.js'

type Line = NonNullable<ScriptedTrial['line']>
/** Happens to a connection; what was to come after that is given to the function that it returns. */
type Change = (...args: Parameters<Line>) => (rest: Buffer) => void

/** Three emails, so that an envelope, a group that tries and one that is known to pass are among them. */
const mails = [{}, { recipients: 2 }, {}]
const MODES = ['auto', 'envelope', false] as const

/** Lets something happen behind so many bytes of the first connection. */
function after(offset: number, change: Change): Line {
  let first = true
  return (socket, clock) => {
    if (!first) return
    first = false
    const deliver = socket.deliver.bind(socket)
    const onRest = change(socket, clock)
    let said = 0
    socket.deliver = (bytes) => {
      const left = offset - said
      said += bytes.length
      if (left > 0) deliver(bytes.subarray(0, left))
      if (left < bytes.length) onRest(bytes.subarray(Math.max(0, left)))
    }
  }
}

/** All offsets in soak, else some of them, spread over the whole. */
async function forEachOffset(
  pipelining: (typeof MODES)[number],
  check: (offset: number) => Promise<void>,
): Promise<void> {
  const { bytes } = await tryScript({ mails, pipelining })
  const count = size(bytes)
  for (let n = 1; n < count; n++) await check(Math.floor((n * bytes) / count))
}

it.each(MODES)('a reply is understood wherever it is cut in two (pipelining: %s)', async (pipelining) => {
  const late: Change = (socket, clock) => {
    const deliver = socket.deliver.bind(socket)
    const rests: Buffer[] = []
    return (rest) => {
      rests.push(rest)
      clock.schedule(7, () => deliver(rests.shift()!))
    }
  }
  await forEachOffset(pipelining, async (offset) => {
    const { told, broken } = await tryScript({ mails, pipelining, line: after(offset, late) })
    expect([offset, told, broken]).toEqual([offset, Array(3).fill('sent, attempts 1, copies 1'), []])
  })
})

it.each(MODES)(
  'a connection that is lost behind whatever byte of the server leaves no second email and no untrue outcome (pipelining: %s)',
  async (pipelining) => {
    await forEachOffset(pipelining, async (offset) => {
      for (const how of ['deliverEnd', 'destroy'] as const) {
        const lose: Change = (socket) => () => void socket[how]()
        const { told, broken, connections } = await tryScript({
          mails,
          pipelining,
          line: after(offset, lose),
        })
        expect([offset, how, broken]).toEqual([offset, how, []])
        expect(connections, String(offset)).toBeLessThanOrEqual(2)
        // One email at the most had its body's end out: the others are through.
        const unknown = told.filter((each) => each.startsWith('unknown'))
        const sent = told.filter((each) => each.startsWith('sent'))
        expect([offset, unknown.length <= 1, unknown.length + sent.length]).toEqual([offset, true, 3])
      }
    })
  },
)

/** Enough that four of them are in flight, after those by which the transport learns. */
const EIGHT = Array.from({ length: 8 }, (_, index) => ({ recipients: index % 3 === 0 ? 2 : 1 }))

it.each(['client', 'server'] as const)(
  'a pipeline of four emails that is cut behind whatever byte of the %s leaves in doubt what was written and not answered, and sends the others once',
  async (side) => {
    const attempt = async (at: number) => {
      const lines: SpokenLine[] = []
      const line: Line = (socket, clock) =>
        void lines.push(cutAfter(socket, clock, lines.length === 0 ? { [side]: at } : {}))
      const result = await tryScript({ mails: EIGHT, nature: { chunking: true }, line })
      return { ...result, line: lines[0]! }
    }
    const whole = await attempt(Number.POSITIVE_INFINITY)
    expect(whole.told).toEqual(EIGHT.map(() => 'sent, attempts 1, copies 1'))
    const bytes = side === 'client' ? whole.written.join('').length : whole.bytes
    let most = 0
    const count = size(bytes, 10)
    for (let n = 1; n < count; n++) {
      const offset = Math.floor((n * bytes) / count)
      const { told, broken, line } = await attempt(offset)
      const expected = EIGHT.map((_, index) =>
        line.mails.get(`m${index}`) === 'in doubt' ? 'unknown' : 'sent',
      )
      expect([offset, broken, told.map((each) => each.split(',')[0])]).toEqual([offset, [], expected])
      most = Math.max(most, expected.filter((each) => each === 'unknown').length)
    }
    expect(most).toBe(4)
  },
)
