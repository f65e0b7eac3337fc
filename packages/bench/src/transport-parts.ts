import { measureAttachment } from './attachment.js'
import { measureBulk } from './bulk.js'
import { measureBurst } from './burst.js'
import { measureChunking } from './chunking.js'
import type { Environment } from './environment.js'
import { measureFirstMail, measureFirstMailFar } from './first-mail.js'
import { measureInjection } from './injection.js'
import { measureObservation } from './observation.js'
import { measureClear, measureFar, measureNear } from './rate.js'
import { measureRealServers } from './real-servers.js'
import type { Section } from './section.js'
import { measureAreas, measureFunctions } from './where-time-goes.js'
import { measureWrites } from './writes.js'

/** The parts of the transport that are measured, in this order. */
export const TRANSPORT_PARTS: Readonly<
  Record<TransportPart, (environment: Environment) => Promise<Section[]>>
> = {
  near: measureNear,
  far: measureFar,
  clear: measureClear,
  chunking: measureChunking,
  real: measureRealServers,
  first: measureFirstMail,
  'first-far': measureFirstMailFar,
  attachment: measureAttachment,
  burst: measureBurst,
  bulk: measureBulk,
  injection: measureInjection,
  observation: measureObservation,
  writes: measureWrites,
  areas: measureAreas,
  functions: measureFunctions,
}

export type TransportPart =
  | 'near'
  | 'far'
  | 'clear'
  | 'chunking'
  | 'real'
  | 'first'
  | 'first-far'
  | 'attachment'
  | 'burst'
  | 'bulk'
  | 'injection'
  | 'observation'
  | 'writes'
  | 'areas'
  | 'functions'

export const transportParts: readonly TransportPart[] = Object.keys(TRANSPORT_PARTS) as TransportPart[]

/** All but the list of functions, which is for those who change them, and real servers, which not every machine has. */
export const usualParts: readonly TransportPart[] = transportParts.filter(
  (part) => part !== 'functions' && part !== 'real',
)
