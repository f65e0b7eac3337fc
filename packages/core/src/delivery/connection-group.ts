import type { Connection, ConnectionPlan } from '../smtp/connection.js'
import { createConnection } from '../smtp/connection.js'
import type { PoolSettings } from '../transport/transport-options.js'
import type { ConnectionBudget, Spender } from './connection-budget.js'

/** The connections to one host under one login, fed from one queue. */
export interface ConnectionGroup {
  /** Waits for a connection and lends it. */
  use(work: Work): Waiting
  verify(): Promise<void>
  /** Whether nothing waits and nothing is under way. */
  isIdle(): boolean
  /** Closes what is idle, and the rest when its work is done. */
  close(): void
}

/** A place in the queue. */
interface Waiting {
  /** Leaves the queue; false where the work has begun. */
  cancel(): boolean
}

interface Member {
  readonly connection: Connection
  readonly retireAt: number
  messages: number
  idleTimer?: NodeJS.Timeout
}

/** What is done on a connection; it gives the connection back, and says whether it can be used again. */
type Work = (connection: Connection, giveBack: (healthy: boolean) => void) => void

/** Makes a group; a connection is opened when a mail needs one. */
export function createConnectionGroup(
  plan: ConnectionPlan,
  pool: PoolSettings,
  budget: ConnectionBudget,
): ConnectionGroup {
  const queue = new Set<Work>()
  const idle: Member[] = []
  let busy = 0
  let closed = false

  const retire = (member: Member) => {
    clearTimeout(member.idleTimer)
    member.connection.destroy()
    budget.release()
  }
  const spender: Spender = {
    closeIdle: () => {
      const member = idle.shift()
      if (member) retire(member)
      return member !== undefined
    },
    retry: () => pump(),
  }
  budget.join(spender)

  const takeIdle = (): Member | undefined => {
    for (let member = idle.pop(); member; member = idle.pop()) {
      clearTimeout(member.idleTimer)
      if (member.retireAt > Date.now()) {
        member.connection.hold(true)
        return member
      }
      retire(member)
    }
    return undefined
  }
  const open = (): Member | undefined => {
    if (!budget.take(spender)) return undefined
    // Jitter, so that connections that were opened together do not all end together.
    const retireAt = Date.now() + pool.maxAgeMs * (0.9 + Math.random() * 0.2)
    return { connection: createConnection(plan), retireAt, messages: 0 }
  }
  const isSpent = ({ messages, retireAt }: Member) =>
    closed || messages >= pool.maxMessages || retireAt <= Date.now()
  const rest = (member: Member) => {
    idle.push(member)
    member.connection.hold(false)
    member.idleTimer = setTimeout(
      () => {
        idle.splice(idle.indexOf(member), 1)
        retire(member)
      },
      pool.idleTimeoutMs * (0.9 + Math.random() * 0.2),
    )
    member.idleTimer.unref()
  }
  const giveBack = (member: Member, healthy: boolean) => {
    busy--
    member.messages++
    if (!healthy || isSpent(member)) retire(member)
    else {
      const [next] = queue
      if (next) lend(member, next)
      else rest(member)
    }
    pump()
  }
  const lend = (member: Member, work: Work) => {
    queue.delete(work)
    busy++
    work(member.connection, (healthy) => giveBack(member, healthy))
  }
  let pumping = false
  let pumpAgain = false
  /**
   * Lends work to connections while there are any. To take one may retire others, which frees places, and whoever is
   * told of a free place pumps: without the guard the inner call would lend the very work that the outer one holds,
   * and one mail would go out twice.
   */
  const pump = () => {
    pumpAgain = true
    if (pumping) return
    pumping = true
    while (pumpAgain) {
      pumpAgain = false
      for (const work of queue) {
        const member = takeIdle() ?? open()
        if (!member) break
        lend(member, work)
      }
    }
    pumping = false
    if (closed && busy === 0) budget.leave(spender)
  }

  return {
    use: (work) => {
      queue.add(work)
      pump()
      return { cancel: () => queue.delete(work) }
    },
    verify: async () => {
      const connection = createConnection(plan)
      try {
        await connection.verify()
      } finally {
        connection.destroy()
      }
    },
    isIdle: () => queue.size === 0 && busy === 0,
    close: () => {
      closed = true
      for (const member of idle.splice(0)) retire(member)
      pump()
    },
  }
}
