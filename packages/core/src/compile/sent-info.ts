import type { FieldOrigins } from '../fields/field-origin.js'
import type { PostmarkProblem } from '../problems/problem.js'
import type { CompileResult, MailRecord } from './mail-record.js'

/** What `info.postmark` tells of a sent mail. */
export interface PostmarkInfo {
  /** The stream that the mail named; undefined means Postmark's `outbound`. */
  readonly messageStream?: string
  readonly tag?: string
  readonly metadata?: Readonly<Record<string, string>>
  /** Set where the option `correlationId` is on. */
  readonly correlationId?: string
  /** Where the mail went; of `createPostmarkTransport` alone. */
  readonly host?: string
  readonly port?: number
  /** How often it was tried; of `createPostmarkTransport` alone. */
  readonly attempts?: number
  /** What was fitted or is doubtful; empty when nothing was. */
  readonly warnings: readonly PostmarkProblem[]
  /** Which level each field came from. Not enumerable: it is worked out when it is asked for. */
  readonly origins: FieldOrigins
}

/** Adds `postmark` to what sendMail resolves to. */
export function addSentInfo(info: unknown, { result, route }: MailRecord): void {
  if (typeof info !== 'object' || info === null || !result) return
  const sent = info as { postmark?: object }
  sent.postmark = Object.assign(new SentInfo(result), sent.postmark, route)
}

/** A class, since a getter that is defined on each object costs many times as much; so `origins` is not enumerable. */
class SentInfo implements PostmarkInfo {
  declare readonly messageStream?: string
  declare readonly tag?: string
  declare readonly metadata?: Readonly<Record<string, string>>
  declare readonly correlationId?: string
  readonly warnings: readonly PostmarkProblem[]
  readonly #origins: () => FieldOrigins

  constructor({ fields, correlationId, warnings, origins }: CompileResult) {
    const { messageStream, tag, metadata } = fields
    if (messageStream) this.messageStream = messageStream
    if (tag) this.tag = tag
    if (metadata) this.metadata = metadata as Readonly<Record<string, string>>
    if (correlationId !== undefined) this.correlationId = correlationId
    this.warnings = warnings
    this.#origins = origins
  }

  get origins(): FieldOrigins {
    return this.#origins()
  }
}
