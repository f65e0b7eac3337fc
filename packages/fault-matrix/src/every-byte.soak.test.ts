import { size } from '@postmark-smtp/testing'
import { expect, it } from 'vitest'
import { type ScriptedTrial, tryScript } from './matrix/scripted-trial.js'

type Line = NonNullable<ScriptedTrial['line']>
/** Happens to a connection; what was to come after that is given to the function that it returns. */
type Change = (...args: Parameters<Line>) => (rest: Buffer) => void

/** Three mails, so that an envelope, a group that tries and one that is known to pass are among them. */
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
  'a connection that is lost behind whatever byte of the server leaves no second mail and no untrue outcome (pipelining: %s)',
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
        // One mail at the most had its body's end out: the others are through.
        const unknown = told.filter((each) => each.startsWith('unknown'))
        const sent = told.filter((each) => each.startsWith('sent'))
        expect([offset, unknown.length <= 1, unknown.length + sent.length]).toEqual([offset, true, 3])
      }
    })
  },
)
