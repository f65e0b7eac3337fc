import { describe, expect, it } from 'vitest'
import { type PlacedFault, type ScriptedTrial, tryScript } from './matrix/scripted-trial.js'

const SENT = 'sent, attempts 1, copies 1'
const SENT_AGAIN = 'sent, attempts 2, copies 1'
const UNKNOWN = 'unknown, attempts 1, copies 0'
const UNKNOWN_BUT_TAKEN = 'unknown, attempts 1, copies 1'
const NOT_SENT = 'not-sent, attempts 1, copies 0'

interface Expected {
  readonly told: readonly string[]
  readonly connections: number
  readonly grouping: readonly string[]
}

/** Three emails on one connection: the end of the first one and the envelope of the second are the group that tries. */
async function expectOf(trial: ScriptedTrial, expected: Expected): Promise<void> {
  const { told, connections, grouping, broken } = await tryScript({ mails: [{}, {}, {}], ...trial })
  expect(broken).toEqual([])
  expect({ told, connections, grouping }).toEqual(expected)
}

describe('a group of two emails', () => {
  it('is answered as a whole, and all that follow share their writes', async () => {
    await expectOf({}, { told: [SENT, SENT, SENT], connections: 1, grouping: ['on'] })
  })

  it.each(['refused', 'swallowed'] as const)(
    'that is %s costs one connection and no email, and turns grouping off',
    async (afterBody) => {
      await expectOf(
        { nature: { afterBody } },
        { told: [SENT, SENT, SENT], connections: 2, grouping: ['off'] },
      )
    },
  )

  it.each<[string, PlacedFault]>([
    ['RSET', { step: 'rset', say: 500 }],
    ['RSET', { step: 'rset', say: 502 }],
    ['MAIL', { step: 'mail', mail: 1, say: 503 }],
    ['MAIL', { step: 'mail', mail: 1, say: 501 }],
    ['DATA', { step: 'data', mail: 1, say: 503 }],
  ])('whose %s is refused as if it had come too early goes over another connection', async (_, fault) => {
    await expectOf({ faults: [fault] }, { told: [SENT, SENT, SENT], connections: 2, grouping: ['off'] })
  })

  it('whose first body is refused, by a server that keeps its envelope, goes on after RSET', async () => {
    const nature = { keepsEnvelope: true }
    const faults: PlacedFault[] = [{ step: 'dot', say: 451 }]
    await expectOf({ nature, faults }, { told: [SENT_AGAIN, SENT, SENT], connections: 1, grouping: ['on'] })
  })

  it('whose first body is deferred, whose MAIL is answered with 503 and whose DATA with 354 sends nothing under the first envelope', async () => {
    const faults: PlacedFault[] = [
      { step: 'dot', say: 451 },
      { step: 'mail', mail: 1, say: 503 },
      { step: 'rcpt', mail: 1, say: 250 },
      { step: 'data', mail: 1, say: 354 },
    ]
    const expected = { told: [SENT_AGAIN, SENT, SENT], connections: 2, grouping: ['off'] }
    await expectOf({ nature: { keepsEnvelope: true }, faults }, expected)
  })

  it.each<[string, PlacedFault[], string]>([
    ['in place of the reply to the body', [{ step: 'dot', say: 421, next: 'end' }], SENT_AGAIN],
    ['in place of the reply to RSET', [{ step: 'rset', say: 421, next: 'end' }], SENT],
    ['in place of the reply to MAIL', [{ step: 'mail', mail: 1, say: 421, next: 'end' }], SENT],
    ['in place of the reply to DATA', [{ step: 'data', mail: 1, say: 421, next: 'end' }], SENT],
  ])('with 421 %s goes over another connection', async (_, faults, first) => {
    await expectOf({ faults }, { told: [first, SENT, SENT], connections: 2, grouping: ['on'] })
  })

  it.each(['dot', 'rset'] as const)(
    'with 421 at %s, and 503 to all that follows, does as well',
    async (step) => {
      const refusals = '503 5.5.1 Error\r\n'.repeat(4)
      const faults: PlacedFault[] = [
        { step, say: { bytes: `421 4.7.0 too many emails\r\n${refusals}` }, next: 'end', accepted: false },
      ]
      const first = step === 'dot' ? SENT_AGAIN : SENT
      await expectOf({ faults }, { told: [first, SENT, SENT], connections: 2, grouping: ['on'] })
    },
  )

  it.each(['end', 'reset', 'shut'] as const)(
    'whose connection is lost (%s) before the reply to its body leaves the first email in doubt, and no other',
    async (next) => {
      for (const accepted of [true, false]) {
        const faults: PlacedFault[] = [{ step: 'dot', say: 'nothing', next, accepted }]
        const first = accepted ? UNKNOWN_BUT_TAKEN : UNKNOWN
        await expectOf({ faults }, { told: [first, SENT, SENT], connections: 2, grouping: ['on'] })
      }
    },
  )

  it.each(['rset', 'mail', 'rcpt', 'data'] as const)(
    'whose connection is lost at %s sends its second email over another one, unless its body is out',
    async (step) => {
      for (const next of ['end', 'reset', 'shut'] as const)
        for (const say of ['nothing', 'half', 'usual'] as const) {
          const faults: PlacedFault[] = [{ step, say, next, ...(step !== 'rset' && { mail: 1 }) }]
          const { told, broken, connections } = await tryScript({ mails: [{}, {}, {}], faults })
          // With the whole of 354 the body and its end are written before the end of the connection is noticed.
          const taken = next === 'shut' ? UNKNOWN_BUT_TAKEN : UNKNOWN
          const second = step === 'data' && say === 'usual' ? taken : SENT
          expect([next, say, told, broken, connections]).toEqual([next, say, [SENT, second, SENT], [], 2])
        }
    },
  )

  it('whose first body is answered slowly waits for it', async () => {
    const faults: PlacedFault[] = [{ step: 'dot', waitMs: 119_000 }]
    await expectOf({ faults }, { told: [SENT, SENT, SENT], connections: 1, grouping: ['on'] })
  })

  it('whose first body is answered too late leaves the first email in doubt, and no other', async () => {
    const faults: PlacedFault[] = [{ step: 'dot', waitMs: 121_000 }]
    const first = `${UNKNOWN_BUT_TAKEN}, final-timeout`
    await expectOf({ faults }, { told: [first, SENT, SENT], connections: 2, grouping: ['on'] })
  })

  it('whose second email is aborted while the first is answered sends it to nobody', async () => {
    const faults: PlacedFault[] = [{ step: 'dot', waitMs: 1000 }]
    await expectOf(
      { faults, meanwhile: ([, second], clock) => clock.schedule(500, () => second?.aborting.abort()) },
      { told: [SENT, NOT_SENT, SENT], connections: 2, grouping: ['on'] },
    )
  })

  it('whose first email is aborted in doubt goes on with the second', async () => {
    const faults: PlacedFault[] = [{ step: 'dot', waitMs: 1000 }]
    await expectOf(
      { faults, meanwhile: ([first], clock) => clock.schedule(500, () => first?.aborting.abort()) },
      { told: [UNKNOWN_BUT_TAKEN, SENT, SENT], connections: 1, grouping: ['on'] },
    )
  })

  it.each(['mail', 'rcpt', 'data'] as const)(
    'whose second email is aborted in the tick of the write, at %s, sends it to nobody',
    async (step) => {
      let abort = () => {}
      const faults: PlacedFault[] = [{ step, mail: 1, act: () => abort() }]
      await expectOf(
        {
          faults,
          meanwhile: ([, second]) => {
            abort = () => second?.aborting.abort()
          },
        },
        { told: [SENT, NOT_SENT, SENT], connections: 2, grouping: ['on'] },
      )
    },
  )

  it('whose emails are too late while the first is answered leaves one in doubt and sends the other to nobody', async () => {
    const faults: PlacedFault[] = [{ step: 'dot', waitMs: 2500 }]
    const { told, broken, connections } = await tryScript({
      mails: [{}, {}],
      faults,
      options: { retry: { deadlineMs: 2000 } },
    })
    expect(broken).toEqual([])
    expect([told, connections]).toEqual([[UNKNOWN_BUT_TAKEN, NOT_SENT], 1])
  })

  it.each(['failing', 'stream', 'slow', 'hanging'] as const)(
    'is not made with an email that is read while it is sent: %s',
    async (content) => {
      const { told, broken, grouping, written } = await tryScript({ mails: [{}, { content }, {}] })
      expect(broken).toEqual([])
      const second = { failing: NOT_SENT, hanging: NOT_SENT, stream: SENT, slow: SENT }[content]
      expect(told).toEqual([SENT, second, SENT])
      expect(grouping).toEqual(content === 'stream' || content === 'slow' ? ['on'] : [])
      for (const part of written) if (part.includes('MAIL FROM:<m1@')) expect(part).toMatch(/^MAIL/)
    },
  )
})

it.each([
  ['auto', { groups: 2, envelopes: 1 }],
  ['envelope', { groups: 0, envelopes: 3 }],
  [false, { groups: 0, envelopes: 0 }],
] as const)('emails are grouped as the option says (pipelining: %s)', async (pipelining, expected) => {
  const { told, broken, grouping, written } = await tryScript({ mails: [{}, {}, {}], pipelining })
  expect([told, broken]).toEqual([[SENT, SENT, SENT], []])
  expect(grouping).toEqual(pipelining === 'auto' ? ['on'] : [])
  const groups = written.filter((part) => part.includes('\r\n.\r\nRSET\r\nMAIL')).length
  const envelopes = written.filter((part) => /^MAIL.*\r\nRCPT.*\r\nDATA\r\n$/.test(part)).length
  expect({ groups, envelopes }).toEqual(expected)
})
