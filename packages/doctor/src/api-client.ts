import { exactIds } from '@postmark-smtp/webhooks'
import { LateError, within } from './within.js'

/** Postmark's API answered with an error, or did not answer. */
export class ApiFailure extends Error {
  constructor(
    message: string,
    /** 0 if there was no answer. */
    readonly statusCode: number,
    readonly errorCode: number | undefined,
  ) {
    super(message)
  }
}

/** An object of JSON. */
export type Json = Readonly<Record<string, unknown>>

/** The token of a request, with the header for its kind. */
export interface Caller {
  readonly header: 'X-Postmark-Server-Token' | 'X-Postmark-Account-Token'
  readonly token: string
}

/** Asks Postmark's REST API. */
export interface ApiClient {
  /** @throws ApiFailure */
  ask(caller: Caller, path: string, method?: 'GET' | 'POST'): Promise<Json>
  /** The API's clock at its last answer, and the span of that request by the clock here; milliseconds since 1970. */
  readonly clock: { readonly theirs: number; readonly from: number; readonly to: number } | undefined
}

/** Makes a client whose every request ends within the time. */
export function createApiClient(url: string, patienceMs: number, signal: AbortSignal): ApiClient {
  const get = exactIds(async (input, init) => readBounded(await fetch(input, init)))
  let clock: ApiClient['clock']
  let hasAnswered = false
  /** Why the API counts as blocked: waiting once is enough to know. */
  let blocked: ApiFailure | undefined
  return {
    get clock() {
      return clock
    },
    async ask({ header, token }, path, method = 'GET') {
      if (blocked) throw blocked
      const ending = new AbortController()
      const from = Date.now()
      try {
        const request = get(new URL(path, url), {
          method,
          headers: { [header]: token, Accept: 'application/json' },
          // A token must not follow a redirect.
          redirect: 'error',
          signal: AbortSignal.any([signal, ending.signal]),
        })
        const response = await within(patienceMs, signal, request)
        const text = await response.text()
        hasAnswered = true
        const theirs = Date.parse(response.headers.get('date') ?? '')
        if (Number.isFinite(theirs)) clock = { theirs, from, to: Date.now() }
        return readAnswer(response, text)
      } catch (error) {
        if (error instanceof ApiFailure) throw error
        const { message, cause } = error as Error
        const why = error instanceof LateError ? message : ((cause as Error | undefined)?.message ?? message)
        const failure = new ApiFailure(why, 0, undefined)
        if (error instanceof LateError && !hasAnswered) blocked = failure
        throw failure
      } finally {
        ending.abort()
      }
    },
  }
}

/** A list of 200,000 suppressed addresses is about this large. */
const MOST_MEGABYTES = 32

/** The response with its body read, up to a limit. @throws ApiFailure */
async function readBounded(response: Response): Promise<Response> {
  const parts: Uint8Array[] = []
  let bytes = 0
  for await (const part of (response.body as AsyncIterable<Uint8Array> | null) ?? []) {
    bytes += part.length
    if (bytes > MOST_MEGABYTES * 1_000_000)
      throw new ApiFailure(`the answer is larger than ${MOST_MEGABYTES} MB`, 0, undefined)
    parts.push(part)
  }
  return new Response(bytes === 0 ? null : Buffer.concat(parts), response)
}

function readAnswer({ status, ok }: Response, text: string): Json {
  let body: unknown
  try {
    body = JSON.parse(text)
  } catch {
    throw new ApiFailure(`the answer is not JSON (status ${status})`, ok ? 0 : status, undefined)
  }
  const json = isJson(body) ? body : {}
  if (ok) return json
  const code = typeof json.ErrorCode === 'number' ? json.ErrorCode : undefined
  throw new ApiFailure(
    `status ${status}${code === undefined ? '' : `, error ${code}`}: ${json.Message ?? 'no message'}`,
    status,
    code,
  )
}

/** Whether a value is an object of JSON. */
function isJson(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The objects of a list, whatever else is in it. */
export function listOf(value: unknown): readonly Json[] {
  return Array.isArray(value) ? value.filter(isJson) : []
}
