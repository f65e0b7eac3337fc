import { expect, it, vi } from 'vitest'
import { Claim, type Claimed } from './claim.js'
import { ClaimGate, type ClaimingMail } from './claim-gate.js'
import { createMemorySendOnce } from './memory-send-once.js'

/** A gate, with claims that the test answers. */
function setUp() {
  const answers = new Map<string, (claimed: Claimed) => void>()
  const through: string[] = []
  const gate = new ClaimGate<ClaimingMail & { readonly name: string }>(({ name }, { kind }) =>
    through.push(`${name} ${kind}`),
  )
  const create = (name: string) => {
    const claim = new Claim({ store: createMemorySendOnce(), leaseMs: 30_000, timeoutMs: 5_000 }, name)
    vi.spyOn(claim, 'take').mockImplementation((_to, _stream, done) => void answers.set(name, done))
    return { name, claim, envelope: { to: [`${name}@x.org`] }, event: { stream: 'outbound' } }
  }
  const answer = (name: string, kind: 'held' | 'sent' = 'held') => {
    const done = answers.get(name)!
    answers.delete(name)
    done(kind === 'held' ? { kind } : { kind, info: {}, resolution: undefined })
  }
  const mails = Array.from({ length: 100 }, (_, n) => create(`m${n}`))
  for (const mail of mails) gate.add(mail)
  return { gate, mails, answers, answer, through }
}

it('asks for 32 keys at the most, in the order in which the emails came', () => {
  const { gate, answers } = setUp()
  expect([...answers.keys()]).toEqual(Array.from({ length: 32 }, (_, n) => `m${n}`))
  expect(gate.size).toBe(100)
})

it('counts an email that is claimed until a session has it', () => {
  const { gate, mails, answers, answer, through } = setUp()
  answer('m0')
  expect([through, gate.size, answers.size]).toEqual([['m0 held'], 99, 31])
  expect(gate.remove(mails[0]!)).toBe(false)
  expect([...answers.keys()].at(-1)).toBe('m32')
})

it('goes on with the next where an email was sent before', () => {
  const { answers, answer, through } = setUp()
  answer('m5', 'sent')
  expect([through, answers.size, answers.has('m32')]).toEqual([['m5 sent'], 32, true])
})

it('lets go of an email that ends early, wherever it is, and hears no more of it', () => {
  const { gate, mails, answers, answer, through } = setUp()
  expect([gate.remove(mails[50]!), gate.remove(mails[7]!), gate.remove(mails[7]!)]).toEqual([
    true,
    true,
    false,
  ])
  expect([gate.size, answers.has('m32')]).toEqual([98, true])
  answer('m7')
  expect(through).toEqual([])
})

it('lets all emails through, each once', () => {
  const { gate, mails, answers, answer, through } = setUp()
  while (answers.size > 0) {
    const [name] = answers.keys()
    answer(name!)
    gate.remove(mails[Number(name!.slice(1))]!)
  }
  expect(through).toEqual(mails.map(({ name }) => `${name} held`))
  expect(gate.size).toBe(0)
})
