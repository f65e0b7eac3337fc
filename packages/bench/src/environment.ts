/** The environment in which a section of the transport is measured. */
export interface Environment {
  /** Ports of the sink: on the loopback interface, and over a line with a round trip. */
  readonly near: number
  readonly far: number
  /** The same two ports of a sink that offers CHUNKING. */
  readonly chunking: { readonly near: number; readonly far: number }
  readonly cert: string
  /** Whether an AsyncLocalStorage is in use, as in an application with request contexts. */
  readonly als: boolean
  /** Scales a usual number of rounds to this environment. */
  rounds(usual: number): number
  /** Counts emails that were sent; the sink must have received as many. */
  tally(mails: number): void
  /** Runs work as a request would: inside the AsyncLocalStorage, if one is in use. */
  inRequest<T>(work: () => T): T
}
