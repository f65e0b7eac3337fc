import type { Shipment } from './shipment.js'

/** What a pipeline needs from its session. */
export interface PipelineHost {
  /** A fully composed email, to be sent before the previous one is answered, only if it is accepted. */
  takeNext(accepts: (shipment: Shipment) => boolean): Shipment | undefined
  /** An email was refused and is about to be settled. What the server may have kept of it must be reset. */
  onRefused(): void
  /** The last email is settled, and nothing is in progress. */
  onEmpty(): void
  /** What arrived cannot be trusted or must not continue: the connection must end, and `drop` must be called. */
  breakOff(): void
}
