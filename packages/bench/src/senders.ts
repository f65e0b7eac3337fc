import {
  createPostmarkTransport,
  type PostmarkTransporter,
  type PostmarkTransportOptions,
} from '@postmark-smtp/core'
import { createTransport, type Transporter } from 'nodemailer'

/** A token of the right form. */
export const TOKEN = '5a4db0c5-0000-4000-8000-706f73746d61'

/** Connections of each transporter, as many as Postmark advises. */
export const CONNECTIONS = 10

/** Where to send. */
export interface Target {
  readonly port: number
  /** Undefined: no TLS. */
  readonly cert: string | undefined
}

/** The part of a transporter that is measured. */
export interface Sender {
  sendMail(message: object): Promise<unknown>
  close(): unknown
}

/** Nodemailer's pool, with a login; its sessions stay open until it is closed. */
export function plain({ port, cert }: Target): Transporter {
  return createTransport({
    host: '127.0.0.1',
    port,
    ...(cert ? { requireTLS: true, tls: { ca: cert } } : { ignoreTLS: true }),
    pool: true,
    maxConnections: CONNECTIONS,
    maxMessages: Infinity,
    auth: { user: TOKEN, pass: TOKEN },
  })
}

/** Our transport, with the same number of connections. */
export function ours(
  { port, cert }: Target,
  more?: Pick<PostmarkTransportOptions, 'sendOnce'>,
): PostmarkTransporter {
  return createPostmarkTransport({
    serverToken: TOKEN,
    host: '127.0.0.1',
    ports: [port],
    ...(cert ? { tls: { ca: cert } } : { allowPlaintext: true }),
    pool: { maxConnections: CONNECTIONS, maxMessages: Infinity },
    // 10 MB in base64 is more than Postmark accepts; here only memory counts.
    preflight: 'warn',
    onWarning: () => {},
    ...more,
  })
}

/** Both, and Nodemailer once more; the distance between its two results is the noise. */
export const MAKERS: readonly (readonly [name: string, make: (target: Target) => Sender])[] = [
  ['plain Nodemailer', plain],
  ['createPostmarkTransport', (target) => ours(target)],
  ['plain Nodemailer again', plain],
]
