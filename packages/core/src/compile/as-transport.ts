import type { EventEmitter } from 'node:events'
import { JSON_COPY } from '../message/json-copy.js'
import type { Transport } from '../message/nodemailer-types.js'

/** A transport, as far as a transporter hands on to it. */
export interface HandedTransport extends Transport {
  readonly name: string
  readonly version: string
  mailer: object | undefined
}

/**
 * Makes a transporter a transport as well, so that createTransport takes it for one and not for options. Libraries copy
 * what they are given, by `{ ...transporter }` or a deep merge: `send` goes along, since it is enumerable and its own.
 */
export function makeTransport(transporter: object, transport: HandedTransport): void {
  const shared = { enumerable: true, writable: true, configurable: true }
  Object.defineProperties(transporter, {
    name: { ...shared, value: transport.name },
    version: { ...shared, value: transport.version },
    send: { ...shared, value: transport.send },
    // Not enumerable: a copy would read it, and hold the whole transporter again.
    mailer: {
      configurable: true,
      get: () => transport.mailer,
      set: (mailer: object) => {
        transport.mailer = mailer
      },
    },
    // Not enumerable either, as it is on the prototype: a library that copies what is inherited too, and makes a transporter
    // for each mail, would gather Nodemailer's listeners on the copy.
    on: { configurable: true, writable: true, value: (transporter as Partial<EventEmitter>).on },
    toJSON: { configurable: true, value: () => JSON_COPY },
  })
}
