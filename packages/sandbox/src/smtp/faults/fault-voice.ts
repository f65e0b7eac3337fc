import type { Fault, FaultPhase, FaultPlan } from './fault-script.js'
import type { FaultWire } from './fault-wire.js'

const GARBLE = '\u0000\u00ff\u0007 what is this\r\n'

/** What the server says: the usual replies, or the faults that replace them. */
export class FaultVoice {
  readonly #wire: FaultWire
  readonly #plan: FaultPlan
  readonly #onFault: (fault: Fault) => void
  #mute = false

  constructor(wire: FaultWire, plan: FaultPlan, onFault: (fault: Fault) => void) {
    this.#wire = wire
    this.#plan = plan
    this.#onFault = onFault
  }

  /** Whether nothing more is said: after a cut, a reset or a stall. */
  get mute(): boolean {
    return this.#mute
  }

  /** Says a reply, of one line or several, and returns its code. */
  reply(...lines: string[]): number {
    this.#wire.write(`${lines.join('\r\n')}\r\n`)
    return Number.parseInt(lines[0]!, 10)
  }

  /** Says a reply and hangs up. */
  end(line: string): number {
    const code = this.reply(line)
    this.#mute = true
    this.#wire.cut()
    return code
  }

  /** Makes the fault of this phase strike, without a reply. */
  strike(phase: FaultPhase, recipient = 0): Fault | undefined {
    const fault = this.#plan.take(phase, recipient)
    if (fault) this.#onFault(fault)
    return fault
  }

  /**
   * Says the usual lines, if there are any, or makes the fault of this phase strike instead.
   * Returns the code of what was said, 0 if that was not a reply, or undefined if nothing was said or struck.
   */
  async say(
    phase: FaultPhase,
    usual: readonly string[] = [],
    { recipient = 0, login = '' }: { readonly recipient?: number; readonly login?: string } = {},
  ): Promise<number | undefined> {
    const fault = this.strike(phase, recipient)
    switch (fault?.kind) {
      case 'reset':
      case 'cut':
      case 'stall':
        this.#mute = true
        if (fault.kind !== 'reset' && fault.half) this.#sayHalf(usual.join('\r\n'))
        if (fault.kind === 'reset') await this.#wire.reset()
        if (fault.kind === 'cut') this.#wire.cut()
        return 0
      case 'garble':
        this.#wire.write(fault.bytes ?? GARBLE)
        return 0
      case 'echo':
        return this.reply(`535 5.7.8 Error: authentication failed: ${login}`)
      case 'reply': {
        const reply = `${fault.code} ${fault.text ?? 'by the script'}`
        return (fault.close ?? fault.code === 421) ? this.end(reply) : this.reply(reply)
      }
      case 'delay':
        await this.#wire.sleep(fault.ms)
    }
    return usual.length > 0 ? this.reply(...usual) : undefined
  }

  #sayHalf(text: string): void {
    this.#wire.write(text.slice(0, Math.ceil(text.length / 2)))
  }
}
