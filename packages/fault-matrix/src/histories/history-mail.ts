import { Readable } from 'node:stream'
import { deliveryOutcome, type PostmarkTransporter } from '@postmark-smtp/core'
import type { Content } from './history.js'

/** One email of a history, and what its sender was told. */
export interface HistoryMail {
  /** Its subject, the local part of its sender and of each recipient. */
  readonly id: string
  readonly route: number
  readonly content: Content
  readonly aborting: AbortController
  readonly beganMs: number
  outcome: 'sent' | ReturnType<typeof deliveryOutcome> | undefined
  /** The recipients that were accepted, as the sender was told. */
  accepted: readonly string[]
  /** How often it was tried. */
  attempts: number | undefined
  error: unknown
}

/** Sends an email, and notes what becomes of it. */
export function sendMail(
  transporter: PostmarkTransporter,
  plan: {
    readonly id: string
    readonly route: number
    readonly content: Content
    readonly recipients: number
    /** Whether it has an idempotency key. */
    readonly isKeyed?: boolean
  },
  nowMs: number,
): HistoryMail {
  const { id, route, content, recipients, isKeyed = false } = plan
  const aborting = new AbortController()
  const mail: HistoryMail = {
    id,
    route,
    content,
    aborting,
    beganMs: nowMs,
    outcome: undefined,
    accepted: [],
    attempts: undefined,
    error: undefined,
  }
  const message = {
    from: `${id}@example.com`,
    to: Array.from({ length: recipients }, (_, index) => `${id}.${index}@example.com`),
    subject: id,
    postmark: { messageStream: streamOf(route) },
    signal: aborting.signal,
    ...(isKeyed ? { idempotencyKey: id } : {}),
    ...contentOf(id, content),
  }
  transporter.sendMail(message).then(
    (info) => {
      mail.outcome = 'sent'
      mail.accepted = info.accepted
      mail.attempts = info.postmark.attempts
    },
    (error: unknown) => {
      mail.outcome = deliveryOutcome(error)
      mail.attempts = (error as { attempts?: number }).attempts
      mail.error = error
    },
  )
  return mail
}

/** The message stream of a route. */
export const streamOf = (route: number): string => `stream-${route}`

/** The login of a route. */
export const tokenOf = (route: number): string => `6f1c2b1e-8a34-4d3a-9a60-2f7f6c1f0a0${route}`

/** Each part says whose it is, and where it ends. */
const endOf = (id: string): string => `<end of ${id}>`

function contentOf(id: string, content: Content): object {
  if (content === 'text') return { text: endOf(id) }
  if (content === 'large')
    return { text: `${'A line of some length, as in a letter.\n'.repeat(2500)}${endOf(id)}` }
  return { text: endOf(id), attachments: [{ filename: 'a.txt', content: streamOfContent(id, content) }] }
}

/** For how long a slow stream rests. */
const REST_MS = 1000

function streamOfContent(id: string, content: Content): Readable {
  if (content === 'stream') return Readable.from([`${id} is `, 'whole'])
  let begun = false
  return new Readable({
    read() {
      if (!begun) this.push(`${id} is `)
      else if (content === 'failing') this.destroy(new Error('The stream of the content failed'))
      else if (content === 'slow')
        setTimeout(() => {
          this.push('whole')
          this.push(null)
        }, REST_MS)
      begun = true
    },
  })
}

/** Whether the bytes of an email are all there, and nobody else's are. */
export function isWhole(raw: string, id: string, content: Content): boolean {
  const [end, ...others] = raw.match(/<end of m\d+>/g) ?? []
  if (end !== endOf(id) || others.length > 0) return false
  return (content !== 'stream' && content !== 'slow') || raw.includes(btoa(`${id} is whole`))
}
