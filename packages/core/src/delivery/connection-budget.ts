/** Somebody who opens connections, and has some to spare at times. */
export interface Spender {
  /** Closes one connection that does nothing; false where there is none. */
  closeIdle(): boolean
  /** A place is free now. */
  retry(): void
}

/** How many connections may be open at once, over all hosts and logins. */
export interface ConnectionBudget {
  join(spender: Spender): void
  leave(spender: Spender): void
  /** Takes a place; where none is free an idle connection of another spender makes room, else `retry` comes later. */
  take(spender: Spender): boolean
  /** Gives a place back. */
  release(): void
}

/** Makes a budget. Postmark advises at most 10 connections per IP address, and does not enforce it. */
export function createConnectionBudget(max: number): ConnectionBudget {
  const spenders = new Set<Spender>()
  const waiting = new Set<Spender>()
  let used = 0
  return {
    join: (spender) => void spenders.add(spender),
    leave: (spender) => {
      spenders.delete(spender)
      waiting.delete(spender)
    },
    take: (spender) => {
      if (used >= max) {
        for (const other of spenders) if (other !== spender && other.closeIdle()) break
      }
      if (used >= max) {
        waiting.add(spender)
        return false
      }
      used++
      return true
    },
    release: () => {
      used--
      const [first] = waiting
      if (!first) return
      waiting.delete(first)
      first.retry()
    },
  }
}

/** What all transporters of a process share, unless `pool.maxConnections` gives one a budget of its own. */
export const processBudget: ConnectionBudget = createConnectionBudget(10)
