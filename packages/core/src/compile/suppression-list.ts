import { toAddressKey } from '../message/address-key.js'

/** An address that a stream does not send to. */
export interface Suppression {
  readonly address: string
  /** The ID of the stream. @example 'outbound' */
  readonly stream: string
  /** When it changed. The later of two changes counts, in whatever order they are reported. Default: now. */
  readonly at?: Date | undefined
  /** The reason. @example 'HardBounce' */
  readonly reason?: string | undefined
}

/**
 * Stores suppressed addresses by stream. Different spellings of one mailbox are the same address: compare the results
 * of `toAddressKey`.
 */
export interface SuppressionStore {
  /**
   * Returns the addresses that are suppressed on the stream. Called before each email, with addresses in the form that
   * `toAddressKey` returns.
   * @example find(['ann@example.com', 'bob@example.com'], 'outbound') // ['bob@example.com']
   */
  find(addresses: readonly string[], stream: string): readonly string[] | Promise<readonly string[]>
  /** Suppresses an address. */
  add(suppression: Suppression): unknown
  /** Clears an address whose owner has subscribed again. */
  remove(suppression: Suppression): unknown
}

/** A synchronous {@link SuppressionStore} in memory. */
export interface SuppressionList extends SuppressionStore {
  find(addresses: readonly string[], stream: string): string[]
  add(suppression: Suppression): void
  remove(suppression: Suppression): void
  /** All current suppressions. */
  list(): Suppression[]
}

/**
 * Creates a store that keeps suppressed addresses in the memory of this process.
 * @example const suppressions = createSuppressionList(); createPostmarkTransport({ serverToken, suppressions })
 */
export function createSuppressionList(): SuppressionList {
  // Removed entries are kept with their time: Postmark repeats an event for hours, and an old event must not count
  // again.
  const changes = new Map<
    string,
    { readonly suppression: Suppression & { at: Date }; readonly on: boolean }
  >()
  const change = (given: Suppression, on: boolean) => {
    const suppression = { ...given, at: given.at ?? new Date() }
    const key = toKey(given.address, given.stream)
    const known = changes.get(key)
    if (!known || known.suppression.at <= suppression.at) changes.set(key, { suppression, on })
  }
  return {
    find: (addresses, stream) => addresses.filter((address) => changes.get(toKey(address, stream))?.on),
    add: (suppression) => change(suppression, true),
    remove: (suppression) => change(suppression, false),
    list: () => [...changes.values()].filter(({ on }) => on).map(({ suppression }) => suppression),
  }
}

function toKey(address: string, stream: string): string {
  return `${stream} ${toAddressKey(address)}`
}
