import { textNestsDeeper, valueNestsDeeper } from './nesting.js'

/** What a body may be. */
export interface BodyLimits {
  /**
   * In bytes; more is answered with 413. Default 10 MB, since a bounce may quote the whole mail, which has that limit.
   * Inbound mail can be larger: raise it where you take attachments.
   */
  readonly maxBytes: number
  /** How deep arrays and objects may nest; more is answered with 400. Default 32. Postmark's own nest 3 deep. */
  readonly maxDepth: number
}

/** {@link BodyLimits} as options. */
export type WebhookLimits = Partial<BodyLimits>

/** A body, or the status and the reason with which it is refused. */
export interface ReadBody {
  readonly json?: unknown
  readonly refusal?: readonly [status: 400 | 413, reason: string]
}

const TOO_LARGE: ReadBody = { refusal: [413, 'The body is too large'] }
const TOO_DEEP: ReadBody = { refusal: [400, 'The body nests too deep'] }

/**
 * Reads the body of a request within limits.
 * @param parsed what a parser in front has read: an object, a text or bytes; undefined where none has
 */
export async function readBody(
  request: Request,
  parsed: unknown,
  { maxBytes, maxDepth }: BodyLimits,
): Promise<ReadBody> {
  if (Number(request.headers.get('content-length')) > maxBytes) return TOO_LARGE
  const body = parsed === undefined ? await readBytes(request, maxBytes) : parsed
  if (body === undefined) return TOO_LARGE
  if (typeof body !== 'string' && !(body instanceof Uint8Array))
    return valueNestsDeeper(body, maxDepth) ? TOO_DEEP : { json: body }
  if (Buffer.byteLength(body) > maxBytes) return TOO_LARGE
  const text = typeof body === 'string' ? body : new TextDecoder().decode(body)
  return textNestsDeeper(text, maxDepth) ? TOO_DEEP : { json: text }
}

/** The bytes of a body, or undefined as soon as there are too many. */
async function readBytes(request: Request, maxBytes: number): Promise<Uint8Array | undefined> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of request.body ?? []) {
    size += chunk.byteLength
    if (size > maxBytes) return undefined
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}
