/** The current state of a host under one login. */
export interface RouteState {
  readonly host: string
  /** Emails that no session has, including those that pause before their next attempt. */
  readonly queued: number
  /** Connections by activity. None is counted twice. */
  readonly opening: number
  readonly idle: number
  readonly busy: number
}

interface StatefulRoute {
  readonly state: RouteState
}

const KEY = Symbol.for('@postmark-smtp/routes/1')

/** Shared by all installed copies of this package. A route is here as long as it has an email or a connection. */
const holder = globalThis as { [KEY]?: Set<StatefulRoute> }
holder[KEY] ??= new Set()

export const routesInUse: Set<StatefulRoute> = holder[KEY]

/** The routes of this process that have an email or a connection. */
export function routeStates(): RouteState[] {
  return Array.from(routesInUse, ({ state }) => state)
}
