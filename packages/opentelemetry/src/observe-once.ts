/** The reporting to one provider, shared by its observations. */
interface Use {
  users: number
  readonly end: () => void
}

type Signal = 'spans' | 'metrics'

const KEY = Symbol.for('@postmark-smtp/opentelemetry/1')

/** Shared by all installed copies of this package, because each would count the same emails. */
const holder = globalThis as { [KEY]?: Readonly<Record<Signal, WeakMap<object, Use>>> }
holder[KEY] ??= { spans: new WeakMap(), metrics: new WeakMap() }
const uses: Readonly<Record<Signal, WeakMap<object, Use>>> = holder[KEY]

/**
 * Begins to report to a provider unless another observation already does: two would report each email twice.
 * @param begin returns the function that ends the reporting
 * @returns a function that ends the reporting after the last observation has called it
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
