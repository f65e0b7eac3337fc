import type { StepFault } from '@postmark-smtp/testing'
import { describe, expect, it } from 'vitest'
import { type PlacedFault, type ScriptedTrial, tryScript } from './matrix/scripted-trial.js'

/** How commands may share a write: by the client's option, and by what the server offers. */
const MODES = [
  { pipelining: 'auto', nature: { pipelining: true } },
  { pipelining: 'envelope', nature: { pipelining: true } },
  { pipelining: false, nature: { pipelining: true } },
  { pipelining: 'auto', nature: { pipelining: false } },
] as const

const SENT = 'sent, attempts 1, copies 1'
const SENT_AGAIN = 'sent, attempts 2, copies 1'
const UNKNOWN = 'unknown, attempts 1, copies 0'
const NOT_SENT = 'not-sent, attempts 1, copies 0'
const REFUSED = 'rejected, attempts 1, copies 0'

/** In each mode the same comes of the email, and no promise is broken. */
async function expectInEachMode(trial: ScriptedTrial, told: readonly string[], connections?: number) {
  for (const mode of MODES) {
    const result = await tryScript({ ...mode, ...trial, nature: { ...mode.nature, ...trial.nature } })
    expect([mode, result.broken]).toEqual([mode, []])
    expect([mode, result.told]).toEqual([mode, told])
    if (connections !== undefined) expect([mode, result.connections]).toEqual([mode, connections])
  }
}

describe('the reply to a body', () => {
  it.each([220, 221, 214, 235, 251, 252, 299, 334, 354])(
    'that is %i accepts nothing: the email is in doubt',
    async (code) => {
      await expectInEachMode({ faults: [{ step: 'dot', say: code }] }, [UNKNOWN], 1)
    },
  )

  it.each(['250-\r\n', '250-Ok\r\n250-\r\n', '250', '25', '2'])(
    'that is %j and nothing more accepts nothing',
    async (bytes) => {
      const late = `${UNKNOWN}, final-timeout`
      await expectInEachMode({ faults: [{ step: 'dot', say: { bytes } }] }, [late], 1)
    },
  )

  it.each(['250-\r\n451 later\r\n', '250-Ok\r\n550 no\r\n', '2500 Ok\r\n', '250_Ok\r\n', '\r\n250 Ok\r\n'])(
    'that is %j accepts nothing',
    async (bytes) => {
      await expectInEachMode({ faults: [{ step: 'dot', say: { bytes }, accepted: false }] }, [UNKNOWN], 1)
    },
  )

  it.each(['250\r\n', '250-Ok\r\n250 Ok\r\n', '250-\r\n250\r\n', '250 Ok\n'])(
    'that is %j accepts the email',
    async (bytes) => {
      const faults: PlacedFault[] = [{ step: 'dot', say: { bytes }, accepted: true }]
      await expectInEachMode({ faults }, [SENT], 1)
    },
  )

  it.each<[string, StepFault, string]>([
    ['is 250', { step: 'body', say: 250 }, NOT_SENT],
    ['is 354 once more', { step: 'body', say: 354 }, NOT_SENT],
    ['refuses', { step: 'body', say: 552 }, REFUSED],
    ['refuses for now', { step: 'body', say: 452 }, 'deferred, attempts 1, copies 0'],
  ])(
    'that %s before the body is out ends the session with no command in the body',
    async (_, fault, told) => {
      await expectInEachMode({ mails: [{ content: 'slow' }, {}], faults: [fault] }, [told, SENT], 2)
    },
  )

  it.each([
    ['in one piece with', { say: { bytes: `250 Ok\r\n${'250 stray\r\n'.repeat(4)}` }, accepted: true }, 1],
    ['after', { extra: '250 stray\r\n'.repeat(4) }, 2],
  ] as const)(
    'is not one of the stray 250 that came %s the reply to the email before',
    async (_, strays, attempts) => {
      const faults: PlacedFault[] = [
        { step: 'dot', ...strays },
        { step: 'dot', say: 554, mail: 1 },
        { step: 'dot', say: 554, connection: 1 },
      ]
      const { told, broken } = await tryScript({ mails: [{}, {}], faults, pipelining: 'envelope' })
      expect([told, broken]).toEqual([[SENT, `rejected, attempts ${attempts}, copies 0`], []])
    },
  )
})

describe('an envelope', () => {
  it('whose MAIL is answered with 503 and whose DATA with 354 brings no body to the server', async () => {
    const faults: PlacedFault[] = [
      { step: 'mail', say: 503 },
      { step: 'rcpt', say: 250 },
      { step: 'data', say: 354 },
    ]
    await expectInEachMode({ mails: [{}, {}], faults }, [REFUSED, SENT])
  })

  it.each([1, 3])(
    'whose recipients (%i) are refused and whose DATA is answered with 354 is refused',
    async (n) => {
      const faults: PlacedFault[] = [
        { step: 'rcpt', say: 550, repeat: true },
        { step: 'data', say: 354 },
      ]
      await expectInEachMode({ mails: [{ recipients: n }, {}], faults }, [REFUSED, SENT])
    },
  )

  it('of which one recipient is refused goes to the others, once', async () => {
    const { told, broken, mails } = await tryScript({
      mails: [{ recipients: 3 }],
      faults: [{ step: 'rcpt', say: 550 }],
    })
    expect([told, broken]).toEqual([[SENT], []])
    expect(mails[0]?.accepted).toEqual(['m0.1@example.com', 'm0.2@example.com'])
  })

  it.each(['mail', 'rcpt', 'data'] as const)(
    'is tried again after 421 at %s, with nothing read after it',
    async (step) => {
      const bytes = '421 4.3.2 shutting down\r\n250 Ok\r\n250 Ok\r\n354 go on\r\n'
      const faults = [{ step, say: { bytes }, next: 'end' } as const]
      await expectInEachMode({ mails: [{}, {}], faults }, [SENT_AGAIN, SENT], 2)
    },
  )
})

describe.each(['greeting', 'ehlo', 'auth', 'proof', 'mail', 'rcpt', 'data', 'dot'] as const)(
  'at %s',
  (step) => {
    const lost = step === 'dot' ? UNKNOWN : SENT_AGAIN

    it.each([
      ['a line without end', '2'.padEnd(100_000, '5')],
      ['lines without end', '250-and so on\r\n'.repeat(10_000)],
      ['empty lines without end', '\r\n'.repeat(10_000)],
      ['zeros without end', '\0'.repeat(100_000)],
    ])('%s are no reply', async (_, bytes) => {
      await expectInEachMode({ faults: [{ step, say: { bytes } }] }, [lost], step === 'dot' ? 1 : 2)
    })

    it.each<[string, Partial<StepFault>]>([
      ['reset', { say: 'nothing', next: 'reset' }],
      ['closed', { say: 'nothing', next: 'end' }],
      ['half-closed by a server that reads on', { say: 'nothing', next: 'shut' }],
      ['reset within the reply', { say: 'half', next: 'reset' }],
      ['half-closed within the reply', { say: 'half', next: 'shut' }],
    ])('a connection that is %s leaves no second email and no untrue outcome', async (_, fault) => {
      const faults = [{ step, ...fault, ...(step === 'dot' && { accepted: false }) }]
      await expectInEachMode({ mails: [{}, {}], faults }, [lost, SENT], 2)
    })

    it.each(['reset', 'end', 'shut'] as const)(
      'a connection that ends behind the reply (%s) leaves no second email and no untrue outcome',
      async (next) => {
        for (const mode of MODES) {
          const { broken } = await tryScript({ ...mode, mails: [{}, {}], faults: [{ step, next }] })
          expect([mode, broken]).toEqual([mode, []])
        }
      },
    )

    // A whole reply between 354 and the reply to the body deceives every client.
    const strays = ['250 stray\r\n', '354 stray\r\n', '451 stray\r\n', '554 stray\r\n', '421 bye\r\n', '2']
    it.each(strays.filter((extra) => step !== 'data' || extra === '2'))(
      'an unasked %j behind the reply leaves no second email and no untrue outcome',
      async (extra) => {
        for (const mode of MODES) {
          const { broken } = await tryScript({ ...mode, mails: [{}, {}], faults: [{ step, extra }] })
          expect([mode, broken]).toEqual([mode, []])
        }
      },
    )
  },
)

it('replies that come byte by byte are understood', async () => {
  const line: ScriptedTrial['line'] = (socket) => {
    const deliver = socket.deliver.bind(socket)
    socket.deliver = (bytes) => {
      for (const byte of bytes) deliver(Buffer.of(byte))
    }
  }
  await expectInEachMode({ mails: [{}, { recipients: 2 }], line }, [SENT, SENT], 1)
})
