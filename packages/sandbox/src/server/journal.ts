import type { StreamType } from '@postmark-smtp/core'
import type { MailEnvelope } from '../mail/sandbox-mail.js'
import type { SandboxStream } from '../mail/stream.js'
import type { Verdict } from '../mail/verdict.js'
import type { BounceParts } from './bounce.js'
import type { EventDetails } from './event-log.js'
import type { SandboxEvent } from './sandbox-event.js'
import type { SandboxSuppression } from './suppressions.js'

/** Records what happens, so that the state of a server survives its process. */
export interface Journal {
  /** Writes immediately, before the state changes. @throws Error of the system; then nothing is written */
  write(fact: ServerFact, body?: Buffer): void
  /** Adds a fact to the next write. */
  add(fact: ServerFact): void
  /** Writes what was added. @throws Error of the system */
  flush(): void
  /** Says that much of what was written is no longer needed. */
  compact(): void
}

/** A Date as a time in milliseconds. */
type Written<T> = { readonly [K in keyof T]: T[K] extends Date ? number : T[K] }

/** Something that changed the state of a server, as JSON. It names emails and bounces by their IDs. */
export type ServerFact =
  | ({ readonly kind: 'mail' } & MailFact)
  | ({ readonly kind: 'bounce'; readonly mail: string } & Written<Omit<BounceParts, 'mail' | 'isSuppressed'>>)
  | ({ readonly kind: 'event' } & EventFact)
  | ({ readonly kind: 'suppressed' } & Written<SandboxSuppression>)
  | ({ readonly kind: 'lifted' } & Pick<SandboxSuppression, 'stream' | 'address'>)
  | { readonly kind: 'removed'; readonly mails: readonly string[] }
  | { readonly kind: 'cleared' }
  | ({ readonly kind: 'stream' } & SandboxStream)
  /** The last IDs that were given, because the bounces and events that have them may be gone. */
  | { readonly kind: 'numbers'; readonly bounce: number; readonly event: number }

/** An email without its bytes, which are written after it. */
interface MailFact {
  readonly id: string
  readonly messageId: string
  readonly receivedAt: number
  readonly envelope: MailEnvelope
  readonly stream: string
  readonly verdict: Verdict
  readonly secure: boolean
  readonly hostType?: StreamType
}

interface EventFact extends Written<Pick<SandboxEvent, 'id' | 'recordType' | 'at' | 'recipient' | 'stream'>> {
  readonly mail?: string
  readonly bounce?: number
  readonly details: EventDetails
}
