import type { PostmarkProblem } from '../problems/problem.js'
import { checkHead, dropEmptyLines } from './check-head.js'
import { replacePostmarkLines } from './header-lines.js'
import type { MimeNode } from './nodemailer-types.js'

const BLOCK = Symbol('header block')

/** A node whose header block is final. */
type SealedNode = MimeNode & { [BLOCK]?: string }

/**
 * Builds the header block of a node once, with our lines unchanged, and adds its problems to the list. Anything written
 * to the node after that has no effect.
 * @param lines our header lines; undefined for a part
 */
export function sealHead(node: MimeNode, problems: PostmarkProblem[], lines?: readonly string[]): void {
  const built = dropEmptyLines(node.buildHeaders())
  problems.push(...checkHead(node, built, lines))
  const block = lines ? replacePostmarkLines(built, lines) : built
  if (lines && mayHoldBcc(node)) node.buildHeaders = withBcc(node, block, lines)
  else {
    ;(node as SealedNode)[BLOCK] = block
    node.buildHeaders = readBlock
  }
}

/** Shared by all nodes: a waiting mail keeps its blocks, but no function for each. */
function readBlock(this: SealedNode): string {
  return this[BLOCK]!
}

function mayHoldBcc({ _headers }: MimeNode): boolean {
  return !Array.isArray(_headers) || _headers.some(({ key }) => /^bcc$/i.test(key))
}

/** Nodemailer transports that read the recipients from the message set keepBcc when they get it. */
function withBcc(node: MimeNode, block: string, lines: readonly string[]): () => string {
  const { buildHeaders, keepBcc } = node
  return () =>
    node.keepBcc === keepBcc ? block : replacePostmarkLines(dropEmptyLines(buildHeaders.call(node)), lines)
}
