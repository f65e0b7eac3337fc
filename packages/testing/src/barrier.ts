/** A point at which each task waits until all have arrived. */
export interface Barrier {
  /** Resolves once the last has arrived. */
  arrive(): Promise<void>
}

/** Creates a barrier for a number of tasks. @example const both = createBarrier(2) // each of two tasks: await both.arrive() */
export function createBarrier(size: number): Barrier {
  let missing = size
  let open: () => void
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  return {
    arrive() {
      missing -= 1
      if (missing === 0) open()
      return opened
    },
  }
}
