import { textNestsDeeper, valueNestsDeeper } from './nesting.js'

/** The limits of a request body. */
export interface BodyLimits {
  /**
   * The maximum size in bytes; a larger body is answered with 413. Default 10 MB, because a bounce may quote the whole
   * mail, which has that limit. Inbound email can be larger: raise the limit if you receive attachments.
   */
  readonly maxBytes: number
  /** How deep arrays and objects may nest; a deeper body is answered with 400. Default 32. Postmark's bodies nest 3 deep. */
  readonly maxDepth: number
}

/** {@link BodyLimits} as options. */
export type WebhookLimits = Partial<BodyLimits>

/** A body, or the status and the reason of its refusal. */
export interface ReadBody {
  readonly json?: unknown
  readonly refusal?: readonly [status: 400 | 413, reason: string]
}

const TOO_LARGE: ReadBody = { refusal: [413, 'The body is too large'] }
const TOO_DEEP: ReadBody = { refusal: [400, 'The body is nested too deeply'] }

/**
 * Reads the body of a request within limits.
 * @param parsed what an earlier parser has read: an object, a string or bytes; undefined if there was none
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

/** The bytes of a body; undefined as soon as there are too many. */
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
