import type { ServerNature, StepFault } from '@postmark-smtp/testing'

/** What the transport is made with. */
interface HistorySettings {
  /** Logins, each with a queue and connections of its own. */
  readonly routes: number
  /** Connections over all routes. */
  readonly places: number
  readonly maxMessages: number
  /** Whole emails on one connection without a reply. */
  readonly maxInFlight: number
  /** Whether emails are grouped, only envelopes, or no two commands. */
  readonly pipelining: 'auto' | 'envelope' | false
  readonly maxAgeMs: number
  readonly idleTimeoutMs: number
  readonly attempts: number
  readonly baseMs: number
  readonly deadlineMs: number
  /** Of the race, of a reply, of the reply to a body. */
  readonly limitMs: number
  /** How long the credentials of a login take; undefined where they are fixed. */
  readonly credentialsMs: number | undefined
  /** How long a store for idempotency keys takes for each answer; undefined where emails have none. */
  readonly storeMs: number | undefined
}

/** What an email is made of; a `slow` stream rests in its middle, a `failing` one breaks there, a `hanging` one never ends. */
export type Content = 'text' | 'large' | 'stream' | 'slow' | 'failing' | 'hanging'

/** What a fault does besides, in the tick of the write: it aborts the email that it meets, closes the transport, or makes getSocket throw. */
export type FaultAct = 'none' | 'abort' | 'close' | 'throw'

/** One thing that happens. */
export type Action =
  | {
      readonly kind: 'send'
      readonly route: number
      readonly count: number
      readonly recipients: number
      readonly content: Content
      /** When the emails are aborted; never where it is missing. */
      readonly abortMs: number | undefined
    }
  | { readonly kind: 'wait'; readonly ms: number }
  /** Arms a fault, which strikes when its step has come `skip` more times. */
  | { readonly kind: 'fault'; readonly fault: StepFault; readonly skip: number; readonly act: FaultAct }
  /** Aborts the emails that are under way. */
  | { readonly kind: 'abort' }
  | { readonly kind: 'close'; readonly deadlineMs: number | undefined }

/** Everything that happens to one transport, from its creation to its end. */
export interface History {
  /** Where the transport's own random numbers begin. */
  readonly seed: number
  readonly settings: HistorySettings
  readonly nature: ServerNature
  readonly actions: readonly Action[]
}
