import { FAULT_PHASES, type Fault, type FaultKind, type FaultPhase } from '@postmark-smtp/sandbox/faults'
import {
  DEFERRED,
  DEFERRED_AND_KEPT,
  explained,
  HOPELESS,
  LOST,
  REJECTED,
  REJECTED_AND_KEPT,
  SENT,
  SENT_AND_LOST,
  UNKNOWN,
  UNKNOWN_BUT_TAKEN,
  type Verdict,
} from './verdict.js'

/** The nine faults that strike at every phase. */
const FAULTS = {
  reset: { kind: 'reset' },
  cut: { kind: 'cut' },
  cutHalf: { kind: 'cut', half: true },
  stall: { kind: 'stall' },
  stallHalf: { kind: 'stall', half: true },
  garble: { kind: 'garble' },
  delay: { kind: 'delay', ms: 20 },
  defer: { kind: 'reply', code: 451 },
  reject: { kind: 'reply', code: 554 },
} as const satisfies Readonly<Record<string, FaultKind>>

type Verdicts = Readonly<Record<keyof typeof FAULTS, Verdict>>

/** For the faults that end the connection in one way or another, and for the delay. */
const ends = (byEnd: Verdict, bySilence: Verdict) => ({
  reset: byEnd,
  cut: byEnd,
  cutHalf: byEnd,
  stall: bySilence,
  stallHalf: bySilence,
  delay: SENT,
})

// A client that was never greeted has already waited for the whole race. Waiting again would not help.
const UNGREETED: Verdicts = {
  ...ends(LOST, explained(HOPELESS, 'no-smtp-server')),
  garble: explained(LOST, 'no-smtp-server'),
  defer: DEFERRED,
  reject: REJECTED,
}
const UNTIL_LOGIN: Verdicts = {
  ...ends(LOST, explained(LOST, 'login-timeout')),
  garble: LOST,
  defer: DEFERRED,
  reject: REJECTED,
}
const ENVELOPE: Verdicts = {
  ...ends(LOST, explained(LOST, 'envelope-timeout')),
  garble: LOST,
  defer: DEFERRED_AND_KEPT,
  reject: REJECTED_AND_KEPT,
}

const MATRIX: Readonly<Record<FaultPhase, Verdicts>> = {
  connect: UNGREETED,
  greeting: UNGREETED,
  ehlo: UNTIL_LOGIN,
  starttls: { ...UNTIL_LOGIN, garble: HOPELESS, reject: explained(HOPELESS, 'starttls-missing') },
  // A reply in clear is no handshake, whatever it says.
  tls: { ...UNTIL_LOGIN, garble: HOPELESS, defer: HOPELESS, reject: HOPELESS },
  'ehlo-tls': UNTIL_LOGIN,
  auth: { ...UNTIL_LOGIN, reject: explained(HOPELESS, 'login-refused') },
  mail: ENVELOPE,
  rcpt: ENVELOPE,
  data: ENVELOPE,
  // A small body was out before anybody could know that it did not arrive.
  body: {
    ...ends(UNKNOWN, explained(UNKNOWN, 'final-timeout')),
    garble: UNKNOWN_BUT_TAKEN,
    defer: DEFERRED_AND_KEPT,
    reject: REJECTED_AND_KEPT,
  },
  dot: {
    ...ends(UNKNOWN, explained(UNKNOWN, 'final-timeout')),
    garble: UNKNOWN,
    defer: DEFERRED_AND_KEPT,
    reject: REJECTED_AND_KEPT,
  },
  // The email is through: what comes of it is a connection that is not used again.
  after: {
    ...ends(SENT_AND_LOST, SENT_AND_LOST),
    garble: SENT_AND_LOST,
    defer: SENT_AND_LOST,
    reject: SENT_AND_LOST,
  },
}

const reply = (code: number) => ({ kind: 'reply', code }) as const
const garble = (bytes: string) => ({ kind: 'garble', bytes }) as const
const taken = (fault: FaultKind) => ({ ...fault, accepted: true })

/** What has a sense of its own at a phase. */
const OTHERS: Partial<Readonly<Record<FaultPhase, readonly (readonly [object, Verdict])[]>>> = {
  greeting: [[reply(421), DEFERRED]],
  ehlo: [[reply(421), DEFERRED]],
  starttls: [
    [reply(421), DEFERRED],
    [reply(454), DEFERRED],
    [{ kind: 'missing' }, explained(HOPELESS, 'starttls-missing')],
    // Someone in between could have inserted it: RFC 3207 forgets it, and so must a client (CVE-2021-33515).
    [garble('220 2.0.0 Ready to start TLS\r\n250 injected\r\n'), HOPELESS],
    [garble('220 2.0.0 Ready to start TLS\r\n250-inj'), HOPELESS],
  ],
  tls: [[{ kind: 'certificate' }, explained(HOPELESS, 'certificate')]],
  'ehlo-tls': [[reply(421), DEFERRED]],
  auth: [
    [reply(421), DEFERRED],
    [reply(454), DEFERRED],
    [reply(535), explained(HOPELESS, 'login-refused')],
    [{ kind: 'echo' }, explained(HOPELESS, 'login-refused')],
  ],
  mail: [[reply(421), DEFERRED]],
  rcpt: [[reply(421), DEFERRED]],
  data: [[reply(421), DEFERRED]],
  body: [
    [reply(421), DEFERRED],
    [reply(552), REJECTED_AND_KEPT],
  ],
  dot: [
    [reply(250), SENT],
    [reply(421), DEFERRED],
    [garble('2!? what is this\r\n'), UNKNOWN],
    [garble('25\r\n'), UNKNOWN],
    [garble('45? what is this\r\n'), UNKNOWN],
    [taken(FAULTS.reset), UNKNOWN_BUT_TAKEN],
    [taken(FAULTS.cut), UNKNOWN_BUT_TAKEN],
    [taken(FAULTS.cutHalf), UNKNOWN_BUT_TAKEN],
    [taken(FAULTS.stall), explained(UNKNOWN_BUT_TAKEN, 'final-timeout')],
    [taken(FAULTS.stallHalf), explained(UNKNOWN_BUT_TAKEN, 'final-timeout')],
    [taken(FAULTS.garble), UNKNOWN_BUT_TAKEN],
  ],
  after: [[reply(421), SENT_AND_LOST]],
}

const AFTER_BYTES = 100_000
/** In a body that takes its time, a fault comes before the end is out. */
const LARGE_BODY: readonly (readonly [FaultKind, Verdict])[] = [
  [FAULTS.reset, LOST],
  [FAULTS.cut, LOST],
  [FAULTS.stall, LOST],
  [FAULTS.delay, SENT],
  [FAULTS.defer, DEFERRED],
  [FAULTS.reject, REJECTED],
]

/** One fault, and what becomes of the email that meets it. */
export interface Cell {
  readonly name: string
  readonly fault: Fault
  readonly verdict: Verdict
}

/** Every phase with every fault. */
export const CELLS: readonly Cell[] = FAULT_PHASES.flatMap((phase) => [
  ...Object.entries(FAULTS).map(([name, fault]) =>
    toCell({ phase, ...fault }, MATRIX[phase][name as keyof Verdicts]),
  ),
  ...(OTHERS[phase] ?? []).map(([fault, verdict]) => toCell({ phase, ...fault } as Fault, verdict)),
])

/** Those that strike within the body of an email that does not fit between the two ends. */
export const LARGE_CELLS: readonly Cell[] = LARGE_BODY.map(([fault, verdict]) =>
  toCell({ phase: 'body', ...fault, afterBytes: AFTER_BYTES }, verdict),
)

function toCell(fault: Fault, verdict: Verdict): Cell {
  // As a title: the kind, and what else there is to it.
  const { phase, kind, ...rest } = fault
  const details = Object.values(rest).length > 0 ? ` ${JSON.stringify(rest)}` : ''
  return { name: `${phase}: ${kind}${details}`, fault, verdict }
}
