import { toAddressKey } from '../message/address-key.js'

/** An address to which a stream does not send. */
export interface Suppression {
  readonly address: string
  /** The ID of the stream. @example 'outbound' */
  readonly stream: string
  /** When it changed; of two changes the later one counts, in whatever order they are told. Default: now. */
  readonly at?: Date | undefined
  /** Why. @example 'HardBounce' */
  readonly reason?: string | undefined
}

/**
 * Where suppressed addresses are kept, each for one stream. Two spellings of one mailbox are one address: compare what
 * `toAddressKey` makes of them.
 */
export interface SuppressionStore {
  /**
   * Those of the addresses that are suppressed on the stream; asked before each mail, with addresses as `toAddressKey` writes them.
   * @example find(['ann@example.com', 'bob@example.com'], 'outbound') // ['bob@example.com']
   */
  find(addresses: readonly string[], stream: string): readonly string[] | Promise<readonly string[]>
  /** Suppresses an address. */
  add(suppression: Suppression): unknown
  /** Clears an address, for one who has subscribed again. */
  remove(suppression: Suppression): unknown
}

/** A {@link SuppressionStore} in memory, which answers at once. */
export interface SuppressionList extends SuppressionStore {
  find(addresses: readonly string[], stream: string): string[]
  add(suppression: Suppression): void
  remove(suppression: Suppression): void
  /** The suppressions that count. */
  list(): Suppression[]
}

/**
 * Keeps suppressed addresses in the memory of this process, as long as it lives.
 * @example const suppressions = createSuppressionList(); createPostmarkTransport({ serverToken, suppressions })
 */
export function createSuppressionList(): SuppressionList {
  // What was removed stays, with its time: Postmark repeats an event for hours, and an old one must not count again.
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
