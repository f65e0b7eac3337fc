import type { Readable } from 'node:stream'
import type { MimeTree } from '../message/build-message.js'
import { buildDirectly, canBuildDirectly } from '../message/build-message.js'
import type { Failure } from '../problems/smtp-failure.js'
import { smtpError } from '../problems/smtp-failure.js'
import { toError } from '../problems/to-error.js'
import { encodeBody } from '../smtp/body-encoder.js'
import type { Content } from '../smtp/shipment.js'

/** A message of Nodemailer. */
interface MimeNode extends MimeTree {
  createReadStream(): Readable
  build(done: (error: Error | null, message: Buffer) => void): void
}

/** Content above this is read while it is sent, so that no second copy of it is held. */
const MOST_BYTES = 262_144

/**
 * Composes a mail: into memory where everything is there already and small, else into a stream that is opened when the
 * server asks for the body.
 * @param done called once
 */
export function composeMail(
  message: unknown,
  done: (error: Error | undefined, content?: Content) => void,
): void {
  const node = message as MimeNode
  const bytes = bytesInMemory(node)
  if (bytes === undefined || bytes > MOST_BYTES) {
    done(undefined, { kind: 'stream', open: () => node.createReadStream() })
    return
  }
  let over = false
  try {
    if (canBuildDirectly(node)) {
      const body = encodeBody(buildDirectly(node))
      over = true
      done(undefined, { kind: 'whole', ...body })
      return
    }
    node.build((error, built) => {
      if (over) return
      over = true
      if (error) done(toError(error))
      else done(undefined, { kind: 'whole', ...encodeBody(built) })
    })
  } catch (error) {
    if (over) throw error
    over = true
    done(toError(error))
  }
}

/** Bytes of a tree whose contents are texts and Buffers; undefined where something has to be read first. */
function bytesInMemory(node: MimeTree): number | undefined {
  let bytes = 0
  for (const content of [node.content, node._raw]) {
    if (content === undefined || content === null || content === false) continue
    if (typeof content !== 'string' && !Buffer.isBuffer(content)) return undefined
    bytes += content.length
  }
  for (const child of node.childNodes ?? []) {
    const more = bytesInMemory(child)
    if (more === undefined) return undefined
    bytes += more
  }
  return bytes
}

/** A mail that could not be composed was not sent, and would not be at another attempt. */
export function composeFailure(cause: Error): Failure {
  const { code } = cause as { code?: unknown }
  const error = smtpError(cause.message, {
    code: typeof code === 'string' ? code : 'ESTREAM',
    phase: 'queue',
    command: 'API',
    outcome: 'not-sent',
    cause,
  })
  return { error, retry: 'never' }
}
