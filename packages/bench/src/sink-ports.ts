/** What a sink reports when it listens. */
export interface SinkPorts {
  readonly near: number
  /** The same server, over a line with a round trip of `ROUND_TRIP_MS`. */
  readonly far: number
  /** The same two ports of a server that offers CHUNKING. */
  readonly chunking: { readonly near: number; readonly far: number }
  readonly cert: string
}

/** Round trip of the slow line, in milliseconds. */
export const ROUND_TRIP_MS = 50
