import type { ScriptedWire } from './scripted-wire.js'
import type { StepFault } from './step-fault.js'

/** What a reply does in the session; `code` is 0 where no whole reply is said. */
type Effect = (code: number) => void

/** What the server says: the usual replies, and the faults in their place. */
export class ScriptedVoice {
  readonly #wire: ScriptedWire
  readonly #readOn: () => void
  readonly #isTakingMail: () => boolean
  /** Whether it thinks about a reply, and reads nothing in the meantime. */
  thinking = false
  /** How many replies the client has not got yet. */
  owed = 0
  /** Whether any fault struck: what the client says from then on may be out of step. */
  struck = false

  constructor(wire: ScriptedWire, readOn: () => void, isTakingMail: () => boolean) {
    this.#wire = wire
    this.#readOn = readOn
    this.#isTakingMail = isTakingMail
  }

  /** Gives the usual reply, or what the fault makes of it. */
  answer(usual: string, usualMs: number, fault: StepFault | undefined, effect: Effect): void {
    if (fault) this.strike(fault)
    const said = toBytes(`${usual}\r\n`, fault)
    effect(fault?.say === 'half' ? 0 : codeOf(said))
    this.owed += 1
    this.#think(fault?.waitMs ?? usualMs, () => {
      this.say(said, () => {
        this.owed -= 1
      })
      if (fault) this.follow(fault)
    })
  }

  /** Lets a fault inside of a body strike; the reply that it may say has no other one after the body. */
  interrupt(fault: StepFault, then: () => void): void {
    this.strike(fault)
    this.#think(fault.waitMs ?? 0, () => {
      this.say(toBytes('', fault))
      this.follow(fault)
      then()
    })
  }

  say(text: string, arrived?: () => void): void {
    if (text !== '') this.#wire.say(text, arrived)
  }

  strike(fault: StepFault): void {
    this.struck = true
    fault.act?.()
  }

  /**
   * Does what comes after the reply of a fault. Bytes that come later are not said between a 354 and the reply to the
   * body: they would pass for that reply.
   */
  follow({ extra = '', next, nextMs = 0 }: StepFault): void {
    const act = () => {
      if (nextMs === 0 || !this.#isTakingMail()) this.say(extra)
      if (next === 'stall') this.#wire.stall()
      if (next === 'end') this.#wire.end()
      if (next === 'shut') this.#wire.shut()
      if (next === 'reset') this.#wire.reset()
    }
    if (nextMs > 0) this.#wire.later(nextMs, act)
    else act()
  }

  #think(ms: number, act: () => void): void {
    if (ms === 0) {
      act()
      return
    }
    this.thinking = true
    this.#wire.later(ms, () => {
      this.thinking = false
      act()
      this.#readOn()
    })
  }
}

function toBytes(usual: string, { say = 'usual' }: Partial<StepFault> = {}): string {
  if (say === 'usual') return usual
  if (say === 'half') return usual.slice(0, usual.length >> 1)
  if (say === 'nothing') return ''
  return typeof say === 'number' ? `${say} by the script\r\n` : say.bytes
}

/** The code of a reply; 0 where its last line is missing, or is none. */
const codeOf = (reply: string) => (/^\d{3}( [^\r\n]*)?\r$/m.test(reply) ? Number.parseInt(reply, 10) : 0)
