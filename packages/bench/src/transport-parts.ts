import { measureAttachment } from './attachment.js'
import { measureBurst } from './burst.js'
import type { Environment } from './environment.js'
import { measureFirstMail } from './first-mail.js'
import { measureInjection } from './injection.js'
import { measureClear, measureFar, measureNear } from './rate.js'
import type { Section } from './section.js'

/** What is measured of the transport, in the order in which it is. */
export const TRANSPORT_PARTS: Readonly<
  Record<TransportPart, (environment: Environment) => Promise<Section[]>>
> = {
  near: measureNear,
  far: measureFar,
  clear: measureClear,
  first: measureFirstMail,
  attachment: measureAttachment,
  burst: measureBurst,
  injection: measureInjection,
}

export type TransportPart = 'near' | 'far' | 'clear' | 'first' | 'attachment' | 'burst' | 'injection'

export const transportParts: readonly TransportPart[] = Object.keys(TRANSPORT_PARTS) as TransportPart[]
