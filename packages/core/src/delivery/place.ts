import type { Session } from '../smtp/session.js'

/** Where an email is. It is in one place at a time, and only its route moves it. */
export type Place =
  /** Its key is not claimed yet. */
  | { readonly name: 'gate' }
  | { readonly name: 'queue' }
  /** Taken by a slot: composing, or waiting until the email before it ends. */
  | { readonly name: 'taken' }
  | { readonly name: 'session'; readonly session: Session }
  | { readonly name: 'pause'; readonly timer: NodeJS.Timeout }
  | { readonly name: 'done' }

/** Shared by all, because there may be thousands. */
export const QUEUE: Place = { name: 'queue' }
export const GATE: Place = { name: 'gate' }
