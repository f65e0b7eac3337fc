import type { Readable } from 'node:stream'
import { MessagePlan, type MimeRoot, type MimeTree, planMessage } from '../message/message-plan.js'
import type { SharedBody } from '../message/shared-body.js'
import type { Failure } from '../problems/smtp-failure.js'
import { smtpError } from '../problems/smtp-failure.js'
import { toError } from '../problems/to-error.js'
import { encodeBody } from '../smtp/body-encoder.js'
import type { Content } from '../smtp/shipment.js'
import { SharedMessage, shareMessage } from './shared-message.js'

/** A Nodemailer message. */
interface MimeNode extends MimeRoot {
  createReadStream(): Readable
  build(done: (error: Error | null, message: Buffer) => void): void
}

/** Content larger than this is read while it is sent, so that no second copy of it is kept. */
const MOST_BYTES = 262_144

/**
 * What is kept of a message until it is composed: its plan if everything is already in memory and small, otherwise the
 * message itself.
 * @param shared everything after its header block, if other emails share it
 */
export function prepareMessage(message: unknown, shared?: SharedBody): unknown {
  if (message instanceof MessagePlan || message instanceof SharedMessage) return message
  const root = message as MimeRoot
  try {
    if (shared?.composed) return new SharedMessage(root, shared.composed)
    const plan = isSmall(root) ? planMessage(root) : undefined
    return plan && shared ? shareMessage(root, plan, shared) : (plan ?? message)
  } catch {
    // It fails again when it is composed, and is reported then.
    return message
  }
}

/**
 * Composes an email: into memory if everything is already there and small, otherwise into a stream that is opened when
 * the server asks for the body.
 * @param message as {@link prepareMessage} returns it
 * @param done called once
 */
export function composeMail(
  message: unknown,
  done: (error: Error | undefined, content?: Content) => void,
): void {
  const node = message as MimeNode
  if (message instanceof SharedMessage) {
    done(undefined, { kind: 'whole', ...message.compose() })
    return
  }
  let over = false
  const finish = (content: Content) => {
    over = true
    done(undefined, content)
  }
  try {
    if (message instanceof MessagePlan) {
      finish({ kind: 'whole', ...encodeBody(message.toBuffer()) })
      return
    }
    if (!isSmall(node)) {
      finish({ kind: 'stream', open: () => node.createReadStream() })
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

function isSmall(node: MimeTree): boolean {
  const bytes = bytesInMemory(node)
  return bytes !== undefined && bytes <= MOST_BYTES
}

/** The size in bytes of a tree whose contents are strings and Buffers. Undefined if something must be read first. */
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

/** An email that could not be composed was not sent, and another attempt would fail as well. */
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
