import type { ScriptedWire } from './scripted-wire.js'
import type { StepFault } from './step-fault.js'

/** The effect of a reply on the session. `code` is 0 if no complete reply is sent. */
type Effect = (code: number) => void

/** The output of the server: the usual replies, or faults instead of them. */
export class ScriptedVoice {
  readonly #wire: ScriptedWire
  readonly #readOn: () => void
  readonly #isTakingMail: () => boolean
  /** Whether the server is delaying a reply; it reads nothing in the meantime. */
  thinking = false
  /** The number of replies that have not yet reached the client. */
  owed = 0
  /** Whether a fault has occurred: after it, the client's commands may be out of step. */
  struck = false

  constructor(wire: ScriptedWire, readOn: () => void, isTakingMail: () => boolean) {
    this.#wire = wire
    this.#readOn = readOn
    this.#isTakingMail = isTakingMail
  }

  /** Sends the usual reply, or what the fault turns it into. */
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

  /** Triggers a fault inside a body. If it sends a reply, no other reply follows the body. */
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
   * Does what follows the reply of a fault. Delayed bytes are not sent between a 354 and the reply to the body, because
   * they would be taken for that reply.
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

/** The code of a reply; 0 if its last line is missing or is not a reply line. */
const codeOf = (reply: string) => (/^\d{3}( [^\r\n]*)?\r$/m.test(reply) ? Number.parseInt(reply, 10) : 0)
