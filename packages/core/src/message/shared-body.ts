import { isPlannable, type MimeTree } from './message-plan.js'
import type { MimeNode } from './nodemailer-types.js'

/** A node, with everything else that determines its bytes. Members with an underscore are private in Nodemailer. */
interface SharingNode extends MimeTree {
  baseBoundary?: unknown
  readonly boundaryPrefix?: unknown
  readonly filename?: unknown
  readonly textEncoding?: unknown
  readonly normalizeHeaderKey?: unknown
  readonly _nodeId?: unknown
  readonly _headers?: MimeNode['_headers']
}

/** Content that is ready to be sent. */
export interface ComposedBody {
  readonly bytes: Buffer
  readonly size: number
  readonly has8Bit: boolean
}

/** Everything that determines the bytes of one node. */
interface NodeShape {
  readonly content: unknown
  readonly facts: readonly unknown[]
  readonly headers: readonly string[]
  readonly children: readonly NodeShape[]
}

/** The headers of the root belong to each email, but these two determine how its content is written. */
const HEADERS_OF_CONTENT: readonly unknown[] = ['Content-Type', 'Content-Transfer-Encoding']

/**
 * Everything after the header block of an email, composed once and sent with many header blocks. The content is
 * identified by value: an email whose content a plugin has changed does not match and is composed individually.
 */
export class SharedBody {
  /** Set by the code that composes the first email with this body. */
  composed: ComposedBody | undefined
  readonly #shape: NodeShape
  readonly #baseBoundary: string

  private constructor(shape: NodeShape, baseBoundary: string) {
    this.#shape = shape
    this.#baseBoundary = baseBoundary
  }

  /** The body of a message whose header blocks are not built yet. Undefined if it cannot be shared. */
  static of(message: object): SharedBody | undefined {
    const root = message as SharingNode
    const { baseBoundary } = root
    if (typeof baseBoundary !== 'string' || !isPlannable(root)) return undefined
    const shape = readShape(root, true)
    return shape && new SharedBody(shape, baseBoundary)
  }

  /**
   * Whether a message whose header blocks are not built yet has this body. If so, it gets the same boundary, so that
   * what Nodemailer writes for it is the same.
   * @param ownBoundary whether the message sets a boundary itself
   */
  takes(message: object, ownBoundary: boolean): boolean {
    const root = message as SharingNode
    if (typeof root.baseBoundary !== 'string' || !isPlannable(root)) return false
    if (!hasShape(root, this.#shape, true)) return false
    if (root.baseBoundary === this.#baseBoundary) return true
    if (ownBoundary) return false
    root.baseBoundary = this.#baseBoundary
    return true
  }
}

/** @param isRoot whether its headers belong to each email */
function readShape(node: SharingNode, isRoot: boolean): NodeShape | undefined {
  const headers = readHeaders(node, isRoot)
  // Already built, or built by a method that replaces Nodemailer's.
  if (!headers || node.boundary || Object.hasOwn(node, 'buildHeaders')) return undefined
  const children: NodeShape[] = []
  for (const child of (node.childNodes ?? []) as readonly SharingNode[]) {
    const shape = readShape(child, false)
    if (!shape) return undefined
    children.push(shape)
  }
  const { content } = node
  // The owner of a Buffer may modify it before the next email.
  return {
    content: Buffer.isBuffer(content) ? Buffer.from(content) : content,
    facts: factsOf(node),
    headers,
    children,
  }
}

function hasShape(node: SharingNode, shape: NodeShape, isRoot: boolean): boolean {
  if (node.boundary || Object.hasOwn(node, 'buildHeaders')) return false
  const children = (node.childNodes ?? []) as readonly SharingNode[]
  if (children.length !== shape.children.length || !isSameContent(node.content, shape.content)) return false
  if (!isSameList(factsOf(node), shape.facts)) return false
  const headers = readHeaders(node, isRoot)
  if (!headers || !isSameList(headers, shape.headers)) return false
  return children.every((child, index) => hasShape(child, shape.children[index]!, false))
}

function factsOf(node: SharingNode): readonly unknown[] {
  const { boundaryPrefix, filename, textEncoding, normalizeHeaderKey, newline, _nodeId } = node
  return [boundaryPrefix, filename, textEncoding, normalizeHeaderKey, newline, _nodeId]
}

/** Names and values, alternating. Undefined if one is not a plain string. */
function readHeaders({ _headers }: SharingNode, isRoot: boolean): string[] | undefined {
  if (!Array.isArray(_headers)) return undefined
  const list: string[] = []
  for (const { key, value } of _headers) {
    if (isRoot && !HEADERS_OF_CONTENT.includes(key)) continue
    if (typeof value !== 'string') return undefined
    list.push(key, value)
  }
  return list
}

function isSameContent(one: unknown, other: unknown): boolean {
  if (!Buffer.isBuffer(one) || !Buffer.isBuffer(other)) return one === other
  return one.equals(other)
}

function isSameList(one: readonly unknown[], other: readonly unknown[]): boolean {
  return one.length === other.length && one.every((value, index) => value === other[index])
}
