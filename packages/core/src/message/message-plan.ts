import { Readable } from 'node:stream'
import { encodeContent } from './nodemailer.js'

/**
 * A node of Nodemailer’s MIME tree, with the members that versions 7 to 10 share. Those with an underscore are private.
 */
export interface MimeTree {
  readonly content?: unknown
  readonly contentType?: unknown
  readonly multipart?: unknown
  readonly boundary?: unknown
  readonly childNodes?: readonly MimeTree[]
  readonly newline?: unknown
  readonly _raw?: unknown
  readonly _transforms?: readonly unknown[]
  readonly _processFuncs?: readonly unknown[]
  getTransferEncoding(): string | false
  buildHeaders(): string
}

/** A tree, with the members that only its root has. */
export interface MimeRoot extends MimeTree {
  getEnvelope(): Envelope
  messageId(): unknown
}

interface Envelope {
  readonly from: unknown
  readonly to: unknown
}

/** A part that is encoded when the message is built. */
interface EncodedPart {
  readonly content: string | Buffer
  readonly encoding: 'base64' | 'quoted-printable'
  /** For quoted-printable content that is not text, in which a lone CR or LF is data. */
  readonly binary: boolean
}

type Piece = string | Buffer | EncodedPart

/**
 * A message whose headers are final, as the pieces it is built from: the caller's strings and Buffers, and everything
 * between them. It takes a third of the memory of Nodemailer's tree, of which thousands may wait, and half the time,
 * because there is no stream for each part. Headers, encoders and delimiters are Nodemailer's, so the bytes are the
 * same.
 */
export class MessagePlan {
  readonly #envelope: Envelope
  readonly #messageId: unknown
  readonly #pieces: readonly Piece[]

  constructor(root: MimeRoot, pieces: readonly Piece[]) {
    this.#envelope = root.getEnvelope()
    this.#messageId = root.messageId()
    this.#pieces = pieces
  }

  getEnvelope(): Envelope {
    return this.#envelope
  }

  messageId(): unknown {
    return this.#messageId
  }

  createReadStream(): Readable {
    return Readable.from([this.toBuffer()])
  }

  /** Builds the message. */
  toBuffer(): Buffer {
    const buffers: Buffer[] = []
    let text = ''
    const endText = () => {
      if (text !== '') buffers.push(Buffer.from(text))
      text = ''
    }
    for (const piece of this.#pieces) {
      if (typeof piece === 'string') {
        text += piece
        continue
      }
      endText()
      if (Buffer.isBuffer(piece)) buffers.push(piece)
      else {
        const { content, encoding, binary } = piece
        const bytes = typeof content === 'string' ? Buffer.from(content) : content
        buffers.push(...encodeContent(encoding, bytes, binary))
      }
    }
    endText()
    return buffers.length === 1 ? buffers[0]! : Buffer.concat(buffers)
  }
}

/**
 * The plan of a message whose contents are all strings or Buffers and whose result is not transformed. Undefined for
 * any other message, and if a member of Nodemailer that must be inspected is missing.
 */
export function planMessage(root: MimeRoot): MessagePlan | undefined {
  if (!isPlannable(root)) return undefined
  const pieces: Piece[] = []
  pieces.push(addNode(root, '', pieces))
  return new MessagePlan(root, pieces)
}

/** Whether a message has a plan. */
export function isPlannable(root: MimeTree): boolean {
  return (
    isEmptyArray(root._transforms) && isEmptyArray(root._processFuncs) && !root.newline && isPlainTree(root)
  )
}

function isPlainTree(node: MimeTree): boolean {
  const { content, childNodes } = node
  if (typeof node.getTransferEncoding !== 'function' || typeof node.buildHeaders !== 'function') return false
  if (node._raw || !Array.isArray(childNodes)) return false
  if (content && typeof content !== 'string' && !Buffer.isBuffer(content)) return false
  return childNodes.every(isPlainTree)
}

function isEmptyArray(value: unknown): boolean {
  return Array.isArray(value) && value.length === 0
}

/**
 * @param before what precedes the node
 * @returns what follows its last content
 */
function addNode(node: MimeTree, before: string, pieces: Piece[]): string {
  const encoding = node.getTransferEncoding()
  let text = [before, node.buildHeaders(), '\r\n\r\n']
  const content = node.content as string | Buffer | undefined
  if (content) {
    pieces.push(text.join(''), toPiece(node, content, encoding))
    text = []
  }
  // Only known now: the headers determine whether the node is a multipart, and its boundary.
  if (node.multipart) {
    const delimiter = `--${node.boundary}`
    const children = node.childNodes ?? []
    for (let index = 0; index < children.length; index++) {
      text.push(index > 0 ? '\r\n' : '', delimiter, '\r\n')
      text = [addNode(children[index]!, text.join(''), pieces)]
    }
    text.push('\r\n', delimiter, '--\r\n')
  }
  // Joined, because V8 would keep the parts of a concatenated string.
  return text.join('')
}

function toPiece({ contentType }: MimeTree, content: string | Buffer, encoding: string | false): Piece {
  if (encoding !== 'base64' && encoding !== 'quoted-printable') return content
  return { content, encoding, binary: !/^text\//i.test(String(contentType || '')) }
}
