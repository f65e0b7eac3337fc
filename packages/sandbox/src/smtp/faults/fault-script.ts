import { LONGEST_TIMER_MS, optionError } from '@postmark-smtp/core/internal'

/** Where in an SMTP session a fault strikes, in the order of the session. */
export const FAULT_PHASES = [
  'connect',
  'greeting',
  'ehlo',
  'starttls',
  'tls',
  'ehlo-tls',
  'auth',
  'mail',
  'rcpt',
  'data',
  'body',
  'dot',
  'after',
] as const

/**
 * `connect` is before the first byte, `tls` the handshake, `ehlo-tls` the EHLO over TLS, `auth` the last reply of
 * a login, `data` the 354, `body` inside the body, `dot` after the final dot and before its reply, `after` after
 * that reply. At every other phase, the fault replaces the reply.
 */
export type FaultPhase = (typeof FAULT_PHASES)[number]

/** What goes wrong. */
export type FaultKind =
  /** The connection is reset (RST). */
  | { readonly kind: 'reset' }
  /** The connection is closed (FIN). With `half`, this happens after half of the reply. */
  | { readonly kind: 'cut'; readonly half?: boolean }
  /** The server sends nothing more, and inside a body it reads nothing more. With `half`, it sends half of the reply first. */
  | { readonly kind: 'stall'; readonly half?: boolean }
  /** The server sends bytes that are not an SMTP reply. It answers the next command as usual. */
  | { readonly kind: 'garble'; readonly bytes?: string }
  /** Another reply. `close` says whether the connection is closed after it (by default, only after a 421). */
  | { readonly kind: 'reply'; readonly code: number; readonly text?: string; readonly close?: boolean }
  /** The session continues as usual after a delay. */
  | { readonly kind: 'delay'; readonly ms: number }

/** One fault. It strikes once, the first time that its phase comes, unless `repeat` is set. */
export type Fault = (
  | ({ readonly phase: FaultPhase } & FaultKind)
  /** EHLO does not list STARTTLS, and the command is rejected. */
  | { readonly phase: 'starttls'; readonly kind: 'missing' }
  /** A certificate that no authority has signed. */
  | { readonly phase: 'tls'; readonly kind: 'certificate' }
  /** A 535 that repeats every line of the login. */
  | { readonly phase: 'auth'; readonly kind: 'echo' }
) & {
  /** `body`: strikes when this many bytes of the body have arrived (default 1). */
  readonly afterBytes?: number
  /** `dot`: whether the server accepts the email anyway. By default as the reply says, and not without a reply. */
  readonly accepted?: boolean
  /** `rcpt`: the recipient of the email, from 0 (the default). */
  readonly recipient?: number
  /** Strikes each time that its phase comes on this connection and in this email. */
  readonly repeat?: boolean
}

/**
 * The faults of a server. Either a list with one entry per connection, for its first email, or a function that is called
 * once per connection and mail, both counted from 0. What comes before the first MAIL belongs to mail 0.
 * @example [{ phase: 'rcpt', kind: 'reply', code: 451 }] // strikes on the first connection
 * @example (connection) => (connection < 2 ? { phase: 'greeting', kind: 'stall' } : undefined)
 */
export type FaultScript =
  | readonly (Fault | undefined)[]
  | ((connection: number, mail: number) => Fault | undefined)

/** The names of all kinds of faults. */
export const FAULT_KINDS: readonly string[] = [
  'reset',
  'cut',
  'stall',
  'garble',
  'reply',
  'delay',
  'missing',
  'certificate',
  'echo',
]

/** Refuses what can never strike. @throws PostmarkError ERR_POSTMARK_OPTIONS */
export function checkFault(fault: Fault): void {
  if (!FAULT_PHASES.includes(fault?.phase)) throw optionError('phase', fault?.phase, FAULT_PHASES.join(', '))
  const { phase, kind } = fault
  if (!FAULT_KINDS.includes(kind)) throw optionError('kind', kind, FAULT_KINDS.join(', '))
  const only = ONLY_AT.get(kind)
  if (only !== undefined && phase !== only) throw optionError('phase', phase, `${only} if kind is ${kind}`)
  if (kind === 'reply' && !isWithin(fault.code, 200, 599))
    throw optionError('code', fault.code, 'the code of a reply, from 200 to 599')
  if (kind === 'delay' && !isWithin(fault.ms, 0, LONGEST_TIMER_MS))
    throw optionError('ms', fault.ms, 'milliseconds, below 2 ** 31')
}

/** The phase of each kind that strikes at only one. */
const ONLY_AT: ReadonlyMap<string, FaultPhase> = new Map([
  ['missing', 'starttls'],
  ['certificate', 'tls'],
  ['echo', 'auth'],
])

function isWithin(value: unknown, least: number, most: number): boolean {
  return typeof value === 'number' && value >= least && value <= most
}

/** @throws PostmarkError ERR_POSTMARK_OPTIONS */
export function checkFaults(script: FaultScript = []): void {
  if (typeof script === 'function') return
  if (!Array.isArray(script)) throw optionError('faults', script, 'a list of faults or a function')
  for (const fault of script) if (fault !== undefined) checkFault(fault)
}

/** The faults of one connection. Asks the script, and knows what has struck already. */
export class FaultPlan {
  /** The faults that struck, in order. */
  readonly struck: Fault[] = []
  readonly #script: FaultScript
  readonly #connection: number
  #mail = -1
  #fault: Fault | undefined
  #spent = false

  constructor(script: FaultScript, connection: number) {
    this.#script = script
    this.#connection = connection
    this.#ask(0)
  }

  /** An email command came. */
  nextMail(): void {
    this.#mail += 1
    if (this.#mail > 0) this.#ask(this.#mail)
  }

  /** The fault that waits at this phase; it does not count as struck. */
  peek(phase: FaultPhase, recipient = 0): Fault | undefined {
    const fault = this.#fault
    if (fault?.phase !== phase || (this.#spent && !fault.repeat)) return undefined
    return phase === 'rcpt' && !fault.repeat && (fault.recipient ?? 0) !== recipient ? undefined : fault
  }

  /** The fault that strikes at this phase now. */
  take(phase: FaultPhase, recipient = 0): Fault | undefined {
    const fault = this.peek(phase, recipient)
    if (!fault) return undefined
    this.#spent = true
    this.struck.push(fault)
    return fault
  }

  /** Whether the server accepts the email whose final dot came. */
  takesMail(): boolean {
    const fault = this.peek('dot')
    const byReply = fault?.kind === 'reply' && fault.code < 400
    return fault?.accepted ?? (fault === undefined || fault.kind === 'delay' || byReply)
  }

  #ask(mail: number): void {
    const script = this.#script
    const listed = () => (mail === 0 ? (script as readonly Fault[])[this.#connection] : undefined)
    this.#fault = typeof script === 'function' ? script(this.#connection, mail) : listed()
    this.#spent = false
  }
}
