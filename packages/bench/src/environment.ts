/** Where a section of the transport is measured. */
export interface Environment {
  /** Port of the sink on the loopback interface, and the same over a line with a round trip. */
  readonly near: number
  readonly far: number
  /** The same two of a sink that offers CHUNKING. */
  readonly chunking: { readonly near: number; readonly far: number }
  readonly cert: string
  /** Whether an AsyncLocalStorage is in use, as in an application with request contexts. */
  readonly als: boolean
  /** How many rounds of a usual number are worth their time here. */
  rounds(usual: number): number
  /** Notes mails that were sent; the sink must have as many. */
  tally(mails: number): void
  /** Runs work as a request would: in the AsyncLocalStorage where one is in use. */
  inRequest<T>(work: () => T): T
}
