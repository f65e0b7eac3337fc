import { optionError, refuseUnknown } from '@postmark-smtp/core/internal'
import type { SandboxMail } from '../mail/sandbox-mail.js'
import type { SandboxBounce } from './bounce.js'
import type { SandboxEvent } from './sandbox-event.js'

/** How much is kept; beyond it the oldest mails go first, with their bounces and events. */
export interface KeepLimits {
  /** Default 10,000. */
  readonly mails?: number
  /** Bytes of all mails together, default 100 MB. The newest mail always stays. */
  readonly bytes?: number
}

/** Reads the option. @throws PostmarkError ERR_POSTMARK_OPTIONS */
export function toKeepLimits(keep: KeepLimits = {}): Required<KeepLimits> {
  refuseUnknown(keep, ['mails', 'bytes'])
  const limits = { mails: 10_000, bytes: 100_000_000, ...keep }
  for (const [name, value] of Object.entries(limits)) {
    if (!Number.isInteger(value) || value < 1)
      throw optionError(`keep.${name}`, value, 'a whole number above 0')
  }
  return limits
}

/** The mails, bounces and events in memory. */
export class MailStore {
  readonly mails: SandboxMail[] = []
  readonly bounces: SandboxBounce[] = []
  readonly #mailOfId = new Map<string, SandboxMail>()
  readonly #bounceOfId = new Map<number, SandboxBounce>()
  readonly #bouncesOf = new WeakMap<SandboxMail, SandboxBounce[]>()
  readonly #eventsOf = new WeakMap<SandboxMail, SandboxEvent[]>()
  readonly #limits: Required<KeepLimits>
  #bytes = 0

  constructor(limits: Required<KeepLimits>) {
    this.#limits = limits
  }

  /** Whether older mails had to go. */
  addMail(mail: SandboxMail): boolean {
    this.mails.push(mail)
    this.#mailOfId.set(mail.messageId, mail)
    this.#bytes += mail.raw.length
    let removed = false
    while (this.#isFull()) {
      this.#removeOldest()
      removed = true
    }
    return removed
  }

  addBounce(bounce: SandboxBounce): void {
    this.bounces.push(bounce)
    this.#bounceOfId.set(bounce.id, bounce)
    append(this.#bouncesOf, bounce.mail, bounce)
  }

  addEvent(event: SandboxEvent): void {
    if (event.mail) append(this.#eventsOf, event.mail, event)
  }

  findMail(messageId: string): SandboxMail | undefined {
    return this.#mailOfId.get(messageId)
  }

  findBounce(id: number): SandboxBounce | undefined {
    return this.#bounceOfId.get(id)
  }

  eventsOf(mail: SandboxMail): readonly SandboxEvent[] {
    return this.#eventsOf.get(mail) ?? []
  }

  clear(): void {
    this.mails.length = 0
    this.bounces.length = 0
    this.#mailOfId.clear()
    this.#bounceOfId.clear()
    this.#bytes = 0
  }

  #isFull(): boolean {
    const { length } = this.mails
    return length > 1 && (length > this.#limits.mails || this.#bytes > this.#limits.bytes)
  }

  #removeOldest(): void {
    const mail = this.mails.shift()!
    this.#mailOfId.delete(mail.messageId)
    this.#bytes -= mail.raw.length
    for (const bounce of this.#bouncesOf.get(mail) ?? []) {
      this.#bounceOfId.delete(bounce.id)
      this.bounces.splice(this.bounces.indexOf(bounce), 1)
    }
  }
}

function append<K extends object, V>(map: WeakMap<K, V[]>, key: K, value: V): void {
  const list = map.get(key)
  if (list) list.push(value)
  else map.set(key, [value])
}
