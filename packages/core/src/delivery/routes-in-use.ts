/** What a host under one login has at the moment. */
export interface RouteState {
  readonly host: string
  /** Mails that no session has: those that pause before their next attempt included. */
  readonly queued: number
  /** Connections by what they do; none is counted twice. */
  readonly opening: number
  readonly idle: number
  readonly busy: number
}

interface StatefulRoute {
  readonly state: RouteState
}

const KEY = Symbol.for('@postmark-smtp/routes/1')

/** Of all installed copies of this package. A route is here as long as it has a mail or a connection, and no longer. */
const holder = globalThis as { [KEY]?: Set<StatefulRoute> }
holder[KEY] ??= new Set()

export const routesInUse: Set<StatefulRoute> = holder[KEY]

/** The routes of this process that have a mail or a connection. */
export function routeStates(): RouteState[] {
  return Array.from(routesInUse, ({ state }) => state)
}
