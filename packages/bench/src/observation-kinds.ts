/** Processes that are measured against each other, by what they observe. */
export const OBSERVED_KINDS = {
  nothing: 'nothing: package not loaded',
  stopped: 'observed once, then stopped',
  observed: 'observePostmark()',
  traceparent: 'observePostmark({ traceparent: true })',
  byHand: 'by hand: one span, histogram and counter',
} as const

export type ObservedKind = keyof typeof OBSERVED_KINDS

/** Asks a process to send `count` emails. */
export interface RoundOrder {
  readonly port: number
  readonly cert: string
  readonly count: number
}

/** What those emails took. */
export interface RoundResult {
  readonly cpuMicros: number
  readonly perSecond: number
}
