import type { Shipment } from './shipment.js'

/** What a pipeline asks of its session. */
export interface PipelineHost {
  /** A mail that is composed in full, to be sent before the one before it is answered; only where it is accepted. */
  takeNext(accepts: (shipment: Shipment) => boolean): Shipment | undefined
  /** A mail was refused, and is about to be settled; what the server may have kept of it must be forgotten. */
  onRefused(): void
  /** The last mail is settled, and nothing is under way any more. */
  onEmpty(): void
  /** What came cannot be trusted, or must not go on: the connection must end, and `drop` be called. */
  breakOff(): void
}
