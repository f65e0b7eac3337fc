import { describe, expect, it } from 'vitest'
import { type PlacedFault, type ScriptedTrial, tryScript } from './matrix/scripted-trial.js'

const SENT = 'sent, attempts 1, copies 1'
const SENT_AGAIN = 'sent, attempts 2, copies 1'
const UNKNOWN = 'unknown, attempts 1, copies 0'
const UNKNOWN_BUT_TAKEN = 'unknown, attempts 1, copies 1'
const TOO_LATE = `${UNKNOWN_BUT_TAKEN}, final-timeout`
const REJECTED = 'rejected, attempts 1, copies 0'

/**
 * Eight emails on one connection. The first shows that the server knows BDAT, the second follows it with EHLO after it,
 * the third goes by DATA, since nothing is under way when it begins, and the others follow it as whole emails, up to four
 * in flight.
 */
const EIGHT = Array.from({ length: 8 }, () => ({}))
const nature = { chunking: true } as const

const run = (trial: ScriptedTrial) => tryScript({ mails: EIGHT, nature, ...trial })

async function expectOf(
  trial: ScriptedTrial,
  expected: {
    readonly told: readonly string[]
    readonly connections: number
    readonly chunking: readonly string[]
  },
): Promise<void> {
  const { told, connections, chunking, broken } = await run(trial)
  expect(broken).toEqual([])
  expect({ told, connections, chunking }).toEqual(expected)
}

const all = (told: string) => EIGHT.map(() => told)
/** The emails from `from` on have fared otherwise. */
const except = (changes: Readonly<Record<number, string>>) => EIGHT.map((_, index) => changes[index] ?? SENT)

describe('whole emails that follow one another', () => {
  it('are sent once the server has shown that it takes them', async () => {
    const { told, broken, connections, chunking, written } = await run({})
    expect([told, broken, connections, chunking]).toEqual([all(SENT), [], 1, ['on']])
    const own = (id: string) => written.filter((part) => part.includes(`MAIL FROM:<${id}@`))
    expect(own('m0')).toEqual([
      expect.stringMatching(
        /^BDAT 7 LAST\r\nCHUNK\r\nMAIL[\s\S]*\r\nBDAT \d+\r\n[\s\S]*Subject: [\s\S]*\r\n\r\n$/,
      ),
    ])
    expect(own('m1')[0]).toMatch(
      /^BDAT \d+ LAST\r\n[\s\S]*RSET\r\nMAIL[\s\S]*\r\nBDAT \d+ LAST\r\n[\s\S]*Subject: [\s\S]*EHLO \[127\.0\.0\.1\]\r\n$/,
    )
    expect(own('m2')[0]).toMatch(/^MAIL.*\r\nRCPT.*\r\nDATA\r\n$/)
    expect(own('m3')[0]).toMatch(/\r\n\.\r\nRSET\r\nMAIL[\s\S]*\r\nBDAT \d+ LAST\r\nX-PM/)
    for (const id of ['m4', 'm5', 'm6'])
      expect(own(id)[0]).toMatch(/^RSET\r\nMAIL.*\r\nRCPT.*\r\nBDAT \d+ LAST\r\n[\s\S]*Subject: [\s\S]*\r\n$/)
  })

  it.each(['envelope', false] as const)('are not sent with pipelining: %s', async (pipelining) => {
    const { told, chunking, written } = await run({ pipelining })
    expect([told, chunking, written.join('').includes('BDAT')]).toEqual([all(SENT), [], false])
  })

  it('are not sent with pool.maxInFlight: 1, and are with 2', async () => {
    const one = await run({ options: { pool: { maxInFlight: 1 } } })
    expect([one.told, one.chunking, one.written.join('').includes('BDAT')]).toEqual([all(SENT), [], false])
    const two = await run({ options: { pool: { maxInFlight: 2 } } })
    expect([two.told, two.chunking]).toEqual([all(SENT), ['on']])
  })

  it.each([
    ['PIPELINING', { chunking: true, pipelining: false }],
    ['CHUNKING', { chunking: false }],
  ])('are not sent where the server does not offer %s', async (_, nature) => {
    const { told, chunking, written } = await run({ nature })
    expect([told, chunking, written.join('').includes('BDAT')]).toEqual([all(SENT), [], false])
  })

  it.each(['stream', 'large'] as const)('are small, and composed in full: %s', async (content) => {
    const mails = EIGHT.map((_, index) => (index === 4 ? { content } : {}))
    const { told, broken, written } = await run({ mails })
    expect([told, broken]).toEqual([all(SENT), []])
    const whole = written.filter((part) => /MAIL FROM:<m4@[\s\S]*BDAT/.test(part))
    expect(whole).toEqual([])
  })
})

describe('a server that offers CHUNKING and does not take it', () => {
  it('gets no byte of a body that it could read as commands', async () => {
    const { told, broken, connections, chunking, written } = await run({ nature: { chunking: 'misread' } })
    expect([told, broken, connections, chunking]).toEqual([all(SENT), [], 2, ['off']])
    const first = written.find((part) => part.includes('BDAT'))
    expect(first).not.toContain('<end of m0>')
  })

  it('and reads one without a recipient as commands gets no body of an email that way', async () => {
    const faults: PlacedFault[] = [4, 5].map((mail) => ({
      ...{ step: 'rcpt', connection: 1, mail, say: 550 },
    }))
    const { told, broken, chunking, written } = await run({ nature: { chunking: 'leaky' }, faults })
    expect([told, broken]).toEqual([except({ 4: REJECTED, 5: REJECTED }), []])
    expect([chunking, written.join('').includes('LAST\r\nX-PM')]).toEqual([['off'], false])
  })

  it('and takes a chunk that belongs to no email loses a connection and no email', async () => {
    const faults: PlacedFault[] = [{ step: 'bdat', mail: -1, say: 250 }]
    await expectOf({ faults }, { told: all(SENT), connections: 2, chunking: ['off'] })
  })

  it('and says more to its first header block leaves two emails in doubt, unless it comes before the body', async () => {
    const later: PlacedFault[] = [{ step: 'bdat', extra: '500 what\r\n' }]
    const told = except({ 0: UNKNOWN_BUT_TAKEN, 1: UNKNOWN_BUT_TAKEN })
    await expectOf({ faults: later }, { told, connections: 2, chunking: ['off'] })
    const before: PlacedFault[] = [{ step: 'bdat', say: { bytes: '250 ok\r\n500 what\r\n' } }]
    await expectOf({ faults: before }, { told: all(SENT), connections: 2, chunking: ['off'] })
  })

  it('and says 421 to a chunk that belongs to no email loses a connection and no email', async () => {
    const faults: PlacedFault[] = [{ step: 'bdat', mail: -1, say: 421, next: 'end' }]
    await expectOf({ faults }, { told: all(SENT), connections: 2, chunking: ['on'] })
  })

  it.each([500, 502, 503])('with %i to its first BDAT loses a connection and no email', async (say) => {
    const faults: PlacedFault[] = [{ step: 'bdat', say }]
    await expectOf({ faults }, { told: all(SENT), connections: 2, chunking: ['off'] })
  })

  it('with silence after its first BDAT loses a connection and no email', async () => {
    const faults: PlacedFault[] = [{ step: 'bdat', say: 'nothing', next: 'stall' }]
    await expectOf({ faults }, { told: all(SENT), connections: 2, chunking: ['off'] })
  })

  it('with 503 to what follows an email loses a connection and no email', async () => {
    const { told, broken, chunking } = await run({ nature: { chunking: true, afterBody: 'refused' } })
    expect([told, broken, chunking]).toEqual([all(SENT), [], ['off']])
  })

  it('that swallows what follows a chunk loses a connection and no email', async () => {
    const { told, broken, chunking } = await run({ nature: { chunking: true, afterBody: 'swallowed' } })
    expect([told, broken, chunking]).toEqual([all(SENT), [], ['off']])
  })

  const TOO_FEW: readonly [string, PlacedFault[]][] = [
    ['RSET', [{ step: 'rset', say: 'nothing' }]],
    ['MAIL', [{ step: 'mail', mail: 1, say: 'nothing' }]],
    ['RCPT', [{ step: 'rcpt', mail: 1, say: 'nothing' }]],
    ['the second email', [{ step: 'bdat', mail: 1, say: 'nothing' }]],
    ['the first email', [{ step: 'bdat' }, { step: 'bdat', say: 'nothing' }]],
  ]
  it.each(TOO_FEW)('and leaves out the reply to %s leaves two emails in doubt', async (_, faults) => {
    const { told, broken, chunking } = await run({ faults })
    const [first, second, ...others] = told.map((each) => each.split(',')[0])
    expect([broken, first, second, others]).toEqual([[], 'unknown', 'unknown', Array(6).fill('sent')])
    expect(chunking).toEqual(['off'])
  })

  it('and falls silent after the first of two emails leaves only the second in doubt', async () => {
    const faults: PlacedFault[] = [{ step: 'rset', say: 'nothing', next: 'stall' }]
    const { told, broken, chunking } = await run({ faults })
    expect([told, broken, chunking]).toEqual([except({ 1: `${UNKNOWN}, final-timeout` }), [], ['off']])
  })

  it('and answers the second of two emails with what is no reply leaves both in doubt', async () => {
    const faults: PlacedFault[] = [{ step: 'bdat', mail: 1, say: { bytes: 'what is this\r\n' } }]
    const { told, chunking } = await run({ faults })
    expect(told.map((each) => each.split(',')[0])).toEqual(['unknown', 'unknown', ...Array(6).fill('sent')])
    expect(chunking).toEqual(['off'])
  })

  const STRAY = '250 stray\r\n'
  const TOO_MANY: readonly [string, PlacedFault[]][] = [
    ['RSET', [{ step: 'rset', extra: STRAY }]],
    ['MAIL', [{ step: 'mail', mail: 1, extra: STRAY }]],
    ['RCPT', [{ step: 'rcpt', mail: 1, extra: STRAY }]],
    ['the second email', [{ step: 'bdat', mail: 1, extra: STRAY }]],
    ['the first email', [{ step: 'bdat' }, { step: 'bdat', extra: STRAY }]],
  ]
  it.each(TOO_MANY)('and says one more after that to %s leaves two emails in doubt', async (_, faults) => {
    await expectOf(
      { faults },
      { told: except({ 0: UNKNOWN_BUT_TAKEN, 1: UNKNOWN_BUT_TAKEN }), connections: 2, chunking: ['off'] },
    )
  })

  it('and leaves out the reply to an email that it refuses does not pass for one that takes it', async () => {
    for (const mail of [0, 1]) {
      const refused = [{ step: 'bdat', say: 'nothing', accepted: false, mail }] as const
      const faults: PlacedFault[] = mail === 0 ? [{ step: 'bdat' }, ...refused] : [...refused]
      const { told, broken, chunking } = await run({ faults })
      expect([mail, broken, told.slice(0, 2).every((each) => each.startsWith('unknown')), chunking]).toEqual([
        mail,
        [],
        true,
        ['off'],
      ])
    }
  })

  it('with 503 to an email once all is learned sends that one again, and leaves those after it in doubt', async () => {
    const faults: PlacedFault[] = [{ step: 'bdat', mail: 3, say: 503 }]
    const { told, broken, chunking } = await run({ faults })
    expect(broken).toEqual([])
    expect(told).toEqual(except({ 4: UNKNOWN_BUT_TAKEN, 5: UNKNOWN_BUT_TAKEN, 6: UNKNOWN_BUT_TAKEN }))
    expect(chunking).toEqual(['on', 'off'])
  })
})

/** A fault at the RSET before an email, which comes before the email begins. */
function resetOf(mail: number, fault: Omit<PlacedFault, 'step'>): PlacedFault[] {
  // The second email is the first that RSET leads, and the third goes by DATA.
  const before = [0, ...Array.from({ length: mail - 3 }, (_, index) => index + 2)]
  return [
    ...before.map((each) => ({ step: 'rset', mail: each }) as const),
    { step: 'rset', mail: mail - 1, ...fault },
  ]
}

describe('of four emails in flight', () => {
  it('those that follow a body which the server read as commands, after a 354 that it did not mean, are in doubt', async () => {
    const faults: PlacedFault[] = [{ step: 'data', mail: 2, say: 'nothing', extra: '354 go on\r\n' }]
    const { told, mails, chunking } = await run({ faults })
    const outcomes = told.map((each) => each.split(',')[0])
    expect(outcomes.slice(0, 4)).toEqual(['sent', 'sent', 'rejected', 'unknown'])
    // No email that was written there goes elsewhere: the server may have taken it.
    for (const [index, each] of told.entries())
      expect(Number(/copies (\d+)/.exec(each)?.[1]), mails[index]!.id).toBeLessThanOrEqual(1)
    expect(chunking).toEqual(['on', 'off'])
  })

  it.each<[string, PlacedFault, string]>([
    ['the sender is refused', { step: 'mail', mail: 4, say: 550 }, REJECTED],
    ['the sender is refused for now', { step: 'mail', mail: 4, say: 451 }, SENT_AGAIN],
    ['the recipient is refused', { step: 'rcpt', mail: 4, say: 550 }, REJECTED],
    ['the recipient is refused for now', { step: 'rcpt', mail: 4, say: 450 }, SENT_AGAIN],
    ['the body is refused', { step: 'bdat', mail: 4, say: 552 }, REJECTED],
    ['the body is refused for now', { step: 'bdat', mail: 4, say: 451 }, SENT_AGAIN],
  ])('one fares by itself where %s', async (_, fault, told) => {
    for (const keepsEnvelope of [false, true])
      await expectOf(
        { faults: [fault], nature: { ...nature, keepsEnvelope } },
        { told: except({ 4: told }), connections: 1, chunking: ['on'] },
      )
  })

  it('one reports the recipients that were refused, and its email goes to the others', async () => {
    const mails = EIGHT.map((_, index) => ({ recipients: index === 4 ? 3 : 1 }))
    const faults: PlacedFault[] = [{ step: 'rcpt', mail: 4, say: 550 }]
    const result = await run({ mails, faults })
    expect([result.broken, result.told]).toEqual([[], all(SENT)])
    expect(result.mails[4]?.accepted).toEqual(['m4.1@example.com', 'm4.2@example.com'])
  })

  it('an email that is taken with no envelope of its own is in doubt, and ends it for the route', async () => {
    const faults: PlacedFault[] = [
      { step: 'mail', mail: 4, say: 550 },
      { step: 'bdat', mail: 4, say: 250 },
    ]
    const { told, broken, chunking } = await run({ faults })
    expect([told[4], broken, chunking]).toEqual([UNKNOWN, [], ['on', 'off']])
  })

  it.each(['rset', 'mail', 'rcpt', 'bdat'] as const)(
    'those at and after a 421 (at %s) go over another connection',
    async (step) => {
      // The first RSET is that of the second email.
      const at =
        step === 'rset'
          ? [
              { step, mail: 0 },
              { step, mail: 2 },
              { step, mail: 3, say: 421, next: 'end' },
            ]
          : [{ step, mail: 4, say: 421, next: 'end' }]
      const faults = at as PlacedFault[]
      const { told, broken, connections, chunking } = await run({ faults })
      expect([broken, connections, chunking]).toEqual([[], 2, ['on']])
      expect(told).toEqual(except(step === 'bdat' ? { 4: SENT_AGAIN } : {}))
    },
  )

  it.each(['mail', 'rcpt', 'bdat'] as const)(
    'none is sent twice by a server that answers one with 421 (at %s) and goes on',
    async (step) => {
      const faults: PlacedFault[] = [{ step, mail: 4, say: 421 }]
      await expectOf({ faults }, { told: except({ 4: SENT_AGAIN }), connections: 2, chunking: ['on'] })
    },
  )

  it('none is sent twice where 421 is the reply to the email before them, which went by DATA', async () => {
    const faults: PlacedFault[] = [{ step: 'dot', mail: 2, say: 421 }]
    await expectOf({ faults }, { told: except({ 2: SENT_AGAIN }), connections: 2, chunking: ['on'] })
  })

  it('those after a 421 are in doubt where the server says nothing more and does not hang up', async () => {
    const faults: PlacedFault[] = [{ step: 'bdat', mail: 4, say: 421, next: 'stall' }]
    const { told, broken, chunking } = await run({ faults })
    expect([told, broken, chunking]).toEqual([
      except({ 4: SENT_AGAIN, 5: UNKNOWN, 6: UNKNOWN, 7: UNKNOWN }),
      [],
      ['on'],
    ])
  })

  it.each(['end', 'reset'] as const)(
    'those without a reply are in doubt where the connection is lost (%s)',
    async (next) => {
      const faults: PlacedFault[] = [{ step: 'bdat', mail: 3, say: 'nothing', next }]
      const { told, broken, connections } = await run({ faults })
      expect([broken, connections]).toEqual([[], 2])
      expect(told).toEqual(except({ 3: UNKNOWN_BUT_TAKEN, 4: UNKNOWN, 5: UNKNOWN, 6: UNKNOWN }))
    },
  )

  it('an email that was refused stays so where the connection is lost before the reply to its body', async () => {
    const faults: PlacedFault[] = [
      { step: 'rcpt', mail: 3, say: 550 },
      { step: 'bdat', mail: 3, say: 'nothing', next: 'end', accepted: false },
    ]
    const { told, broken } = await run({ faults })
    expect([told[3], broken]).toEqual([REJECTED, []])
  })

  it('those without a reply are in doubt where none comes in time, and none follow one another any more', async () => {
    const faults: PlacedFault[] = [{ step: 'bdat', mail: 3, say: 'nothing', next: 'stall' }]
    const { told, broken, chunking } = await run({ faults })
    expect([broken, chunking]).toEqual([[], ['on', 'off']])
    expect(told).toEqual(except({ 3: TOO_LATE, 4: UNKNOWN, 5: UNKNOWN, 6: UNKNOWN }))
  })

  it('one that is aborted is in doubt, and the others are read on', async () => {
    const faults: PlacedFault[] = [{ step: 'bdat', mail: 3, waitMs: 1000 }]
    await expectOf(
      { faults, meanwhile: (mails, clock) => clock.schedule(500, () => mails[4]?.aborting.abort()) },
      { told: except({ 4: UNKNOWN_BUT_TAKEN }), connections: 1, chunking: ['on'] },
    )
  })

  it('one that is aborted in the tick of its write is in doubt, and the others go on', async () => {
    let abort = () => {}
    const faults: PlacedFault[] = [{ step: 'mail', mail: 4, act: () => abort() }]
    await expectOf(
      {
        faults,
        meanwhile: (mails) => {
          abort = () => mails[4]?.aborting.abort()
        },
      },
      { told: except({ 4: UNKNOWN_BUT_TAKEN }), connections: 1, chunking: ['on'] },
    )
  })

  it('an email that is taken after a RSET that the server refuses is in doubt, as it may have another envelope', async () => {
    const faults = resetOf(3, { say: 554 })
    const { told, broken } = await run({ faults })
    const doubt = { 3: UNKNOWN_BUT_TAKEN, 4: UNKNOWN_BUT_TAKEN, 5: UNKNOWN_BUT_TAKEN, 6: UNKNOWN_BUT_TAKEN }
    expect([told, broken]).toEqual([except(doubt), []])
  })

  it.each([
    ['which was not known before', '500 what\r\n', 'end'],
    ['which hangs up', '554 Too many nonmail commands\r\n', 'reset'],
    ['which stays', '554 Too many nonmail commands\r\n250 ok\r\n', 'end'],
  ] as const)('those after a RSET that the server refuses, %s, are in doubt', async (_, bytes, next) => {
    const { told, broken } = await run({ faults: resetOf(3, { say: { bytes }, next }) })
    expect([told, broken]).toEqual([except({ 3: UNKNOWN, 4: UNKNOWN, 5: UNKNOWN, 6: UNKNOWN }), []])
  })
})
