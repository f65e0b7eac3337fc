import type { JsonObject } from '../api/api-route.js'

/** One parameter of a route. */
export interface ControlParameter {
  /** A name that ends in `*` is a prefix. @example 'metadata_*' */
  readonly name: string
  readonly in: 'path' | 'query' | 'body'
  readonly type: 'text' | 'number' | 'flag' | 'list'
  readonly summary: string
  readonly required?: boolean
  readonly values?: readonly string[]
}

/** What a route sees of a request, read as its parameters say. */
export interface ControlRequest {
  /** A text that is not empty. */
  text(name: string): string | undefined
  /** A text of a parameter that is required. */
  required(name: string): string
  number(name: string): number | undefined
  /** What names that begin with a prefix have after it, with their values. */
  startingWith(prefix: string): readonly (readonly [rest: string, value: string])[]
  /** The body; an empty one is `{}`. */
  readonly body: JsonObject
  /** Aborts when the client has gone. */
  readonly signal: AbortSignal
}

/** One call of the control API: the router, docs/sandbox-openapi.json and the table in docs/sandbox-team.md are made from these. */
export interface ControlRoute {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  /** @example '/sandbox/mails/{MessageID}' */
  readonly path: string
  readonly summary: string
  readonly parameters: readonly ControlParameter[]
  /** What the answer holds. */
  readonly answer: string
  /** Answered without the password: it reveals nothing (default false). */
  readonly isOpen?: boolean
  /** Returns what is sent as JSON, or a response. */
  handle(request: ControlRequest): unknown
}
