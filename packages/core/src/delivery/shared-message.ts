import type { MessagePlan, MimeRoot } from '../message/message-plan.js'
import type { ComposedBody, SharedBody } from '../message/shared-body.js'
import { type EncodedBody, encodeBody } from '../smtp/body-encoder.js'

const LINE_END = Buffer.from('\r\n')

/** A message with its own header block, followed by content that it shares with other emails. */
export class SharedMessage {
  readonly #envelope: { readonly from: unknown; readonly to: unknown }
  readonly #messageId: unknown
  readonly #head: string
  readonly #body: ComposedBody

  /** @param root whose header block is final */
  constructor(root: MimeRoot, body: ComposedBody) {
    this.#envelope = root.getEnvelope()
    this.#messageId = root.messageId()
    this.#head = root.buildHeaders()
    this.#body = body
  }

  getEnvelope(): { readonly from: unknown; readonly to: unknown } {
    return this.#envelope
  }

  messageId(): unknown {
    return this.#messageId
  }

  compose(): EncodedBody {
    const head = encodeBody(Buffer.from(`${this.#head}\r\n\r\n`))
    const { bytes, size, has8Bit } = this.#body
    return {
      bytes: Buffer.concat([head.bytes, LINE_END, bytes], head.bytes.length + 2 + bytes.length),
      size: head.size + size,
      has8Bit: head.has8Bit || has8Bit,
    }
  }
}

/**
 * Composes the body of a message for all emails that share it. An email that cannot be composed fails later, on its own.
 */
export function shareMessage(
  root: MimeRoot,
  plan: MessagePlan,
  shared: SharedBody,
): SharedMessage | MessagePlan {
  try {
    const body = plan.toBuffer().subarray(Buffer.byteLength(root.buildHeaders()) + 4)
    // In that case, the line break at the end of the header block is the last one of the email.
    if (body.length === 0) return plan
    shared.composed = encodeBody(body)
  } catch {
    return plan
  }
  return new SharedMessage(root, shared.composed)
}
