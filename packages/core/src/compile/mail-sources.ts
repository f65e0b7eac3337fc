import type { ContextLevel } from '../context/context.js'
import { contextLevels } from '../context/context.js'
import type { FieldOrigins } from '../fields/field-origin.js'
import type { Reading } from '../fields/read-fields.js'
import { readFields } from '../fields/read-fields.js'
import { mayHoldDefaults, splitHeaders } from '../message/header-shapes.js'
import type { HeaderReading } from '../message/message-headers.js'
import { readHeaders } from '../message/message-headers.js'
import type { CompilingMail } from '../message/nodemailer-types.js'
import type { PostmarkProblem } from '../problems/problem.js'
import type { ParsedPostmarkFields } from '../vocabulary/vocabulary.js'
import type { FieldSources } from './resolve-fields.js'

/** What `attachPostmark` read at the moment of sendMail, on its way to the compile step. */
export interface Snapshot {
  readonly context: readonly ContextLevel[]
  readonly message: Reading
  readonly headers: HeaderReading
  /** Set by the compile step. */
  result?: CompileResult
}

/** What the compile step found out, for `info.postmark`. */
export interface CompileResult {
  readonly fields: ParsedPostmarkFields
  readonly correlationId: string | undefined
  origins(): FieldOrigins
  readonly warnings: readonly PostmarkProblem[]
}

/** Key of the message data that carries a {@link Snapshot}; a string, since Nodemailer 7 copies no symbols. */
export const SNAPSHOT_KEY = '@postmark-smtp/snapshot'

/** What the fields of a mail that is being compiled come from. */
export interface MailSources extends FieldSources {
  /** Headers that are not Postmark's, in the shape they came in. */
  readonly rest: unknown
  readonly snapshot: Snapshot | undefined
}

/** Reads them: from the snapshot where `attachPostmark` took one, else from the mail and the context as they are now. */
export function readSources({ data }: CompilingMail): MailSources {
  const snapshot = data[SNAPSHOT_KEY] as Snapshot | undefined
  // Not deleted: that would make every later look into the message slow.
  if (snapshot) data[SNAPSHOT_KEY] = undefined
  const { postmark, rest } = splitHeaders(data.headers)
  if (snapshot) {
    // The caller's own are in the snapshot: what stands here came from createTransport's second argument.
    const transport = [readFields(data.postmark, 'defaults'), readHeaders(postmark, 'defaults.headers')]
    return { ...snapshot, transport, rest, snapshot }
  }
  return {
    context: contextLevels(),
    message: readFields(data.postmark, 'postmark'),
    headers: readHeaders(postmark, 'headers', mayHoldDefaults(data.headers)),
    transport: [],
    rest,
    snapshot,
  }
}
