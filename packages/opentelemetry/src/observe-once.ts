/** What reports to one provider, for as many observations as ask for that. */
interface Use {
  users: number
  readonly end: () => void
}

type Signal = 'spans' | 'metrics'

const KEY = Symbol.for('@postmark-smtp/opentelemetry/1')

/** Of all installed copies of this package: each would count the same mails. */
const holder = globalThis as { [KEY]?: Readonly<Record<Signal, WeakMap<object, Use>>> }
holder[KEY] ??= { spans: new WeakMap(), metrics: new WeakMap() }
const uses: Readonly<Record<Signal, WeakMap<object, Use>>> = holder[KEY]

/**
 * Begins to report to a provider, unless another observation does so: two would report each mail twice.
 * @param begin returns what ends it
 * @returns ends it, once the last one has asked for that
 */
export function observeOnce(signal: Signal, provider: object, begin: () => () => void): () => void {
  const use = uses[signal].get(provider) ?? { users: 0, end: begin() }
  uses[signal].set(provider, use)
  use.users++
  return () => {
    if (--use.users > 0) return
    uses[signal].delete(provider)
    use.end()
  }
}
