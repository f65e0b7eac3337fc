/** One parameter of a route. */
export interface ControlParameter {
  /** A name that ends in `*` is a prefix. @example 'metadata_*' */
  readonly name: string
  readonly in: 'path' | 'query' | 'body'
  readonly type: 'text' | 'number' | 'count' | 'flag' | 'list'
  readonly summary: string
  readonly required?: boolean
  readonly values?: readonly string[]
}

/** What a route sees of a request, read as its parameters say. */
export interface ControlRequest {
  /** A non-empty string. */
  text(name: string): string | undefined
  /** The string of a required parameter. */
  required(name: string): string
  number(name: string): number | undefined
  list(name: string): readonly unknown[] | undefined
  /** The value of a parameter of any type. */
  given(name: string): unknown
  /** The names that begin with a prefix, without it, with their values. */
  startingWith(prefix: string): readonly (readonly [rest: string, value: string])[]
  /** Aborts when the client has disconnected. */
  readonly signal: AbortSignal
}

/** One call of the control API. The router, docs/sandbox-openapi.json and the table in docs/sandbox-team.md are made from these. */
export interface ControlRoute {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  /** @example '/sandbox/mails/{MessageID}' */
  readonly path: string
  readonly summary: string
  readonly parameters: readonly ControlParameter[]
  /** What the answer contains. */
  readonly answer: string
  /** Whether it is answered without the password, because it reveals nothing (default false). */
  readonly isOpen?: boolean
  /** Returns the JSON of the answer, or a response. */
  handle(request: ControlRequest): unknown
}
