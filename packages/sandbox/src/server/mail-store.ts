import { optionError, refuseUnknown } from '@postmark-smtp/core/internal'
import type { SandboxMail } from '../mail/sandbox-mail.js'
import type { SandboxBounce } from './bounce.js'
import type { SandboxEvent } from './sandbox-event.js'

/** How much is kept. Beyond that, the oldest emails are removed first, with their bounces and events. */
export interface KeepLimits {
  /** Default 10,000. */
  readonly mails?: number
  /**
   * Memory of all emails together in bytes, including their bounces and events and the emails that are being received.
   * Default 100 MB. The newest mail always stays.
   */
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

/** The emails, bounces and events in memory. */
export class MailStore {
  readonly mails: SandboxMail[] = []
  readonly bounces: SandboxBounce[] = []
  readonly #mailOfId = new Map<string, SandboxMail>()
  readonly #bounceOfId = new Map<number, SandboxBounce>()
  readonly #historyOf = new Map<SandboxMail, History>()
  // Code that holds an email can read its history after it is gone. Only emails that are gone are in here, because the garbage
  // collector visits each entry of a weak map again and again, which is slow with ten thousand entries.
  readonly #gone = new WeakMap<SandboxMail, History>()
  readonly #limits: Required<KeepLimits>
  #lastBounceId = 0
  /** Bytes of the emails that are kept. */
  #bytes = 0
  /** Bytes of the emails that are still being received. */
  #receiving = 0

  constructor(limits: Required<KeepLimits>) {
    this.#limits = limits
  }

  addMail(mail: SandboxMail): void {
    this.mails.push(mail)
    this.#mailOfId.set(mail.messageId, mail)
    this.#historyOf.set(mail, { weight: 0, events: [], bounces: [] })
    this.#addWeight(mail, toWeight(mail))
  }

  /** Removes the oldest emails until the rest is within the limits. Returns the MessageIDs of the removed ones. */
  makeRoom(): readonly string[] {
    const removed: string[] = []
    while (this.#isFull()) {
      const mail = this.mails.shift()!
      this.#forget(mail)
      removed.push(mail.messageId)
    }
    return removed
  }

  /** Removes emails with their bounces and events. Returns the MessageIDs of those that were there. */
  remove(messageIds: readonly string[]): readonly string[] {
    const wanted = new Set(messageIds.filter((messageId) => this.#mailOfId.has(messageId)))
    const [gone, kept] = [true, false].map((is) =>
      this.mails.filter(({ messageId }) => wanted.has(messageId) === is),
    )
    this.mails.length = 0
    for (const mail of kept!) this.mails.push(mail)
    for (const mail of gone!) this.#forget(mail)
    return [...wanted]
  }

  /**
   * Counts bytes of an email that is being received. Returns false if they are too many together with the others. An email
   * that is the only one may have any size.
   * @param held the bytes that were counted for this email already
   */
  reserve(bytes: number, held: number): boolean {
    const isTooMuch = this.#receiving + bytes > this.#limits.bytes && this.#receiving > held
    if (!isTooMuch) this.#receiving += bytes
    return !isTooMuch
  }

  /** Releases the bytes that were reserved for one email. */
  release(bytes: number): void {
    this.#receiving -= bytes
  }

  /** The highest ID of a bounce so far. */
  get lastBounceId(): number {
    return this.#lastBounceId
  }

  /** Skips the IDs up to this one. */
  skipTo(bounceId: number): void {
    this.#lastBounceId = Math.max(this.#lastBounceId, bounceId)
  }

  addBounce(bounce: SandboxBounce): void {
    this.skipTo(bounce.id)
    this.bounces.push(bounce)
    this.#bounceOfId.set(bounce.id, bounce)
    this.#history(bounce.mail).bounces.push(bounce)
  }

  addEvent(event: SandboxEvent): void {
    if (!event.mail) return
    this.#history(event.mail).events.push(event)
    this.#addWeight(event.mail, EVENT_BYTES)
  }

  findMail(messageId: string): SandboxMail | undefined {
    return this.#mailOfId.get(messageId)
  }

  findBounce(id: number): SandboxBounce | undefined {
    return this.#bounceOfId.get(id)
  }

  bouncesOf(mail: SandboxMail): readonly SandboxBounce[] {
    return this.#historyOf.get(mail)?.bounces ?? []
  }

  eventsOf(mail: SandboxMail): readonly SandboxEvent[] {
    return (this.#historyOf.get(mail) ?? this.#gone.get(mail))?.events ?? []
  }

  clear(): void {
    for (const [mail, history] of this.#historyOf) this.#gone.set(mail, history)
    this.#historyOf.clear()
    this.mails.length = 0
    this.bounces.length = 0
    this.#mailOfId.clear()
    this.#bounceOfId.clear()
    this.#bytes = 0
  }

  #isFull(): boolean {
    const { length } = this.mails
    const bytes = this.#bytes + this.#receiving
    return length > 1 && (length > this.#limits.mails || bytes > this.#limits.bytes)
  }

  #addWeight(mail: SandboxMail, bytes: number): void {
    // Events of an email that is no longer kept are not counted.
    if (this.#mailOfId.get(mail.messageId) !== mail) return
    this.#history(mail).weight += bytes
    this.#bytes += bytes
  }

  #history(mail: SandboxMail): History {
    let history = this.#historyOf.get(mail) ?? this.#gone.get(mail)
    if (!history) {
      history = { weight: 0, events: [], bounces: [] }
      this.#gone.set(mail, history)
    }
    return history
  }

  #forget(mail: SandboxMail): void {
    this.#mailOfId.delete(mail.messageId)
    const history = this.#history(mail)
    const { weight, bounces } = history
    this.#historyOf.delete(mail)
    this.#gone.set(mail, history)
    this.#bytes -= weight
    for (const bounce of bounces) {
      this.#bounceOfId.delete(bounce.id)
      this.bounces.splice(this.bounces.indexOf(bounce), 1)
    }
  }
}

/** The events and bounces of an email, and how many bytes it counts as. */
interface History {
  weight: number
  readonly events: SandboxEvent[]
  readonly bounces: SandboxBounce[]
}

// As measured on Node 20.
const MAIL_BYTES = 2000
const EVENT_BYTES = 800
const ITEM_BYTES = 100

/** About as many bytes as an email takes in memory. Many short headers take more than their text. */
function toWeight({ raw, headers, envelope, verdict }: SandboxMail): number {
  const items = [
    ...headers.map(({ key, value }) => key.length + value.length),
    ...envelope.to.map(({ length }) => length),
    ...verdict.problems.map(({ message, path, cure }) => message.length + path.length + cure.length),
    ...verdict.notes.map(({ length }) => length),
  ]
  return items.reduce((sum, length) => sum + length + ITEM_BYTES, raw.length + MAIL_BYTES)
}
