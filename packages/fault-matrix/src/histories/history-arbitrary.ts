import type { StepFault } from '@postmark-smtp/testing'
import { STEPS } from '@postmark-smtp/testing'
import fc from 'fast-check'
import type { Action, History } from './history.js'

const MINUTE = 60_000

/** One of some values, in one history of four. */
const rarely = (...values: readonly number[]): fc.Arbitrary<number | undefined> =>
  fc.oneof({ weight: 3, arbitrary: fc.constant(undefined) }, fc.constantFrom(...values))

const settings: fc.Arbitrary<History['settings']> = fc.record({
  routes: fc.integer({ min: 1, max: 3 }),
  places: fc.integer({ min: 1, max: 4 }),
  pipelining: fc.oneof(
    { weight: 3, arbitrary: fc.constant('auto' as const) },
    fc.constantFrom('envelope' as const, false as const),
  ),
  maxMessages: fc.constantFrom(100, 1, 2, 5),
  maxInFlight: fc.constantFrom(4, 10, 2, 1),
  maxAgeMs: fc.constantFrom(5 * MINUTE, MINUTE, 5000),
  idleTimeoutMs: fc.constantFrom(30_000, 10 * MINUTE, 5000),
  attempts: fc.constantFrom(4, 2, 1),
  baseMs: fc.constantFrom(500, 1, 5000),
  deadlineMs: fc.constantFrom(3 * MINUTE, MINUTE, 2000),
  limitMs: fc.constantFrom(10_000, 3000, 2 * MINUTE),
  credentialsMs: rarely(0, 100, 30 * MINUTE),
  storeMs: rarely(0, 10, 2000),
})

const nature: fc.Arbitrary<History['nature']> = fc.record({
  latencyMs: fc.constantFrom(1, 0, 25, 200),
  mailMs: fc.constantFrom(0, 10, 200, 2000),
  pipelining: fc.boolean(),
  chunking: fc.boolean(),
  afterBody: fc.oneof(
    { weight: 8, arbitrary: fc.constant('answered' as const) },
    fc.constantFrom('refused' as const, 'swallowed' as const),
  ),
  keepsEnvelope: fc.boolean(),
})

/** From the same tick to 20 minutes, each magnitude as often as the next. */
const spans: fc.Arbitrary<number> = fc.oneof(
  fc.constantFrom(0, 1, 5000, 30_000, MINUTE, 5 * MINUTE, 20 * MINUTE),
  fc.integer({ min: 0, max: 100 }),
  fc.integer({ min: 100, max: 5000 }),
  fc.integer({ min: 5000, max: 2 * MINUTE }),
  fc.integer({ min: 2 * MINUTE, max: 20 * MINUTE }),
)

const sends: fc.Arbitrary<Action> = fc.record({
  kind: fc.constant('send' as const),
  route: fc.nat({ max: 2 }),
  count: fc.oneof(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 3, max: 10 })),
  recipients: fc.oneof({ weight: 4, arbitrary: fc.constant(1) }, fc.constantFrom(2, 3)),
  content: fc.oneof(
    { weight: 12, arbitrary: fc.constant('text' as const) },
    { weight: 2, arbitrary: fc.constant('stream' as const) },
    fc.constantFrom('large' as const, 'slow' as const, 'failing' as const, 'hanging' as const),
  ),
  abortMs: fc.oneof({ weight: 9, arbitrary: fc.constant(undefined) }, spans),
})

const codes: fc.Arbitrary<number> = fc.oneof(
  fc.constantFrom(421, 451, 550, 554),
  fc.constantFrom(220, 221, 250, 252, 299, 334, 354, 454, 503, 535, 552),
)
const says: fc.Arbitrary<NonNullable<StepFault['say']>> = fc.oneof(
  { weight: 4, arbitrary: fc.constant('usual' as const) },
  { weight: 6, arbitrary: codes },
  { weight: 3, arbitrary: fc.constant('nothing' as const) },
  fc.constant('half' as const),
  fc
    .constantFrom('250-\r\n', '\u0000\u00ff what is this\r\n', '25\r\n', '2500 Ok\r\n')
    .map((bytes) => ({ bytes })),
)

/**
 * Whether a client can know what the server did. A server deceives any client that says 250 and has no email, refuses a
 * mail that it keeps, says goodbye and takes the body that is on its way, or leaves a reply out and goes on, so that the
 * next one is taken for it.
 */
function isHonest({ step, say = 'usual', accepted, extra = '', next, nextMs = 0 }: StepFault): boolean {
  const leaves = next !== undefined && nextMs === 0
  const completes250 = typeof say === 'object' && say.bytes.startsWith('250-')
  const isGoodbye = say === 421 || extra.startsWith('421')
  // Whole emails that follow a body are believed not to be obeyed once the connection ends with a goodbye.
  if ((step === 'body' || step === 'dot') && isGoodbye && next && (!leaves || next === 'shut')) return false
  if (step === 'data' || step === 'body') {
    if (extra.startsWith('250') || (extra.startsWith('421') && (!leaves || next === 'shut'))) return false
    return (
      step === 'data' || (say !== 250 && !completes250 && (leaves || (say !== 'nothing' && say !== 'half')))
    )
  }
  // Emails that were written as a whole are known to be refused by a goodbye after which nothing comes but the end.
  const isOfChunk = step === 'rset' || step === 'mail' || step === 'rcpt' || step === 'bdat'
  if (
    isOfChunk &&
    ((say === 421 && next === 'shut') || (extra.startsWith('421') && (!leaves || next === 'shut')))
  )
    return false
  if (step !== 'dot' && step !== 'bdat') return true
  if (say === 'usual' || say === 250) return accepted !== false
  if (typeof say === 'number') return say < 400 || accepted !== true
  if (/^(250|421)/.test(extra)) return false
  if (say === 'nothing') return accepted !== false || leaves
  return say === 'half' ? accepted !== false : !completes250 || accepted === true
}

const faults: fc.Arbitrary<StepFault> = fc
  .record(
    {
      step: fc.oneof(fc.constantFrom(...STEPS), fc.constantFrom('mail', 'rcpt', 'data', 'body', 'dot')),
      say: says,
      waitMs: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, spans),
      next: fc.constantFrom('end' as const, 'shut' as const, 'reset' as const, 'stall' as const),
      extra: fc.constantFrom('250 stray\r\n', '421 bye\r\n', '354 go on\r\n', '5'),
      nextMs: fc.oneof(fc.constant(0), spans),
      accepted: fc.boolean(),
      afterBytes: fc.constantFrom(1, 1000, 50_000),
    },
    { requiredKeys: ['step'] },
  )
  .filter(isHonest)

const acts = fc.oneof(
  { weight: 24, arbitrary: fc.constant('none' as const) },
  { weight: 3, arbitrary: fc.constant('abort' as const) },
  fc.constantFrom('close' as const, 'throw' as const),
)

/** What may happen, and how often. */
export interface HistoryOptions {
  /** Whether anything goes wrong; default true. */
  readonly faults?: boolean
}

/** Histories of one transport. */
export function histories({ faults: withFaults = true }: HistoryOptions = {}): fc.Arbitrary<History> {
  const waits = fc.record({ kind: fc.constant('wait' as const), ms: spans })
  const armed = fc.record({
    kind: fc.constant('fault' as const),
    fault: faults,
    skip: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, fc.nat({ max: 8 })),
    act: acts,
  })
  const calm: fc.WeightedArbitrary<Action>[] = [
    { weight: 12, arbitrary: sends },
    { weight: 10, arbitrary: waits },
  ]
  const rough: fc.WeightedArbitrary<Action>[] = [
    { weight: 14, arbitrary: armed },
    { weight: 1, arbitrary: fc.constant({ kind: 'abort' }) },
    {
      weight: 1,
      arbitrary: fc.record({
        kind: fc.constant('close' as const),
        deadlineMs: fc.option(spans, { nil: undefined }),
      }),
    },
  ]
  return fc.record({
    seed: fc.nat(),
    settings,
    nature,
    actions: fc.array(fc.oneof(...calm, ...(withFaults ? rough : [])), {
      minLength: 1,
      maxLength: 16,
      size: 'max',
    }),
  })
}
