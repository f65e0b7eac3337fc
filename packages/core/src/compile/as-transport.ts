import type { EventEmitter } from 'node:events'
import { JSON_COPY } from '../message/json-copy.js'
import type { Transport } from '../message/nodemailer-types.js'

/** The parts of a transport that a transporter forwards to. */
export interface HandedTransport extends Transport {
  readonly name: string
  readonly version: string
  mailer: object | undefined
}

/**
 * Makes a transporter a transport as well, so that createTransport treats it as one and not as options. Libraries copy
 * what they are given, by `{ ...transporter }` or a deep merge. `send` is copied as well because it is enumerable and
 * an own property.
 */
export function makeTransport(transporter: object, transport: HandedTransport): void {
  const shared = { enumerable: true, writable: true, configurable: true }
  Object.defineProperties(transporter, {
    name: { ...shared, value: transport.name },
    version: { ...shared, value: transport.version },
    send: { ...shared, value: transport.send },
    // Not enumerable: a copy would read it and keep the whole transporter once more.
    mailer: {
      configurable: true,
      get: () => transport.mailer,
      set: (mailer: object) => {
        transport.mailer = mailer
      },
    },
    // Not enumerable either, as on the prototype. Otherwise a library that also copies inherited properties, and
    // creates a transporter for each email, would collect Nodemailer's listeners on the copy.
    on: { configurable: true, writable: true, value: (transporter as Partial<EventEmitter>).on },
    toJSON: { configurable: true, value: () => JSON_COPY },
  })
}
