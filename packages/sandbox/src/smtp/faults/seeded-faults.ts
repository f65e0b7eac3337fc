import { FAULT_PHASES, type Fault } from './fault-script.js'
import { createRandom } from './random.js'

/** Options of {@link seededFaults}. */
export interface SeededFaultsOptions {
  /** The share of emails that meet a fault, from 0 to 1 (default 0.1). */
  readonly rate?: number
  /** The longest delay in milliseconds (default 100). */
  readonly maxDelayMs?: number
}

/** Bytes that look like a reply, but are not one. */
const NO_REPLIES = ['\0\r\n', '2? \r\n', '25\r\n', '4? \r\n', '55', '\r\n']
const CODES = [421, 421, 450, 451, 452, 454, 535, 550, 552, 554]
/** Replies are drawn more often, because they are what most servers do. */
const KINDS = ['reset', 'cut', 'stall', 'garble', 'reply', 'reply', 'reply', 'delay', 'own'] as const

/**
 * Draws any fault at any phase that a server could show. The same seed gives the same fault for the same connection and
 * mail, whatever came before, so you can repeat a run that failed.
 * @example startSandbox({ faults: seededFaults(42, { rate: 0.5 }) })
 */
export function seededFaults(
  seed: number,
  options: SeededFaultsOptions = {},
): (connection: number, mail: number) => Fault | undefined {
  const { rate = 0.1, maxDelayMs = 100 } = options
  return (connection, mail) => {
    const random = createRandom(seed * 8191 + connection * 127 + mail)
    return random() < rate ? drawFault(random, maxDelayMs) : undefined
  }
}

function drawFault(random: () => number, maxDelayMs: number): Fault {
  const phase = pick(random, FAULT_PHASES)
  const common = {
    phase,
    afterBytes: 1 + Math.floor(random() * 2000),
    recipient: Math.floor(random() * 3),
  }
  const accepted = random() < 0.5
  const half = random() < 0.3
  const kind = pick(random, KINDS)
  switch (kind) {
    case 'reset':
      return { ...common, kind, accepted }
    case 'cut':
      return { ...common, kind, accepted, half }
    case 'stall':
      return { ...common, kind, accepted, half }
    case 'garble':
      return { ...common, kind, accepted, ...(phase === 'dot' && { bytes: pick(random, NO_REPLIES) }) }
    case 'delay':
      return { ...common, kind, ms: Math.floor(random() * maxDelayMs) }
    case 'reply':
      return { ...common, kind, code: pick(random, CODES), repeat: random() < 0.3 }
    case 'own':
      return pick<Fault>(random, [
        { phase: 'starttls', kind: 'missing' },
        { phase: 'tls', kind: 'certificate' },
        { phase: 'auth', kind: 'echo' },
        // One reply too many, which a client could mistake for the reply to its next command.
        { phase: 'after', kind: 'reply', code: 250 },
      ])
  }
}

const pick = <T>(random: () => number, list: readonly T[]): T => list[Math.floor(random() * list.length)]!
