import { toAddressKey } from '@postmark-smtp/core'

/** Why an address is suppressed on a stream, in Postmark's words. */
export type SuppressionReason = 'HardBounce' | 'SpamComplaint' | 'ManualSuppression'

/** An address that a stream sends nothing to. */
export interface SandboxSuppression {
  readonly stream: string
  readonly address: string
  readonly reason: SuppressionReason
  readonly origin: 'Recipient' | 'Customer' | 'Admin'
  readonly at: Date
}

/** The suppressed addresses of all streams. Two spellings of one mailbox are one address. */
export class Suppressions {
  readonly #all = new Map<string, SandboxSuppression>()

  /** All of them, oldest first. */
  get list(): readonly SandboxSuppression[] {
    return [...this.#all.values()]
  }

  has(stream: string, address: string): boolean {
    return this.#all.has(keyOf(stream, address))
  }

  /** Returns whether it is new. An address that is suppressed already keeps its reason. */
  add(suppression: SandboxSuppression): boolean {
    const key = keyOf(suppression.stream, suppression.address)
    if (this.#all.has(key)) return false
    this.#all.set(key, suppression)
    return true
  }

  /** Returns the suppression that was lifted. */
  remove(stream: string, address: string): SandboxSuppression | undefined {
    const key = keyOf(stream, address)
    const suppression = this.#all.get(key)
    this.#all.delete(key)
    return suppression
  }

  clear(): void {
    this.#all.clear()
  }
}

function keyOf(stream: string, address: string): string {
  return `${stream} ${toAddressKey(address)}`
}
