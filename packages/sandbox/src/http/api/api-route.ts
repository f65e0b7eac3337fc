import type { ApiQuery } from './api-query.js'

/** A JSON object of a request. */
export type JsonObject = Readonly<Record<string, unknown>>

/** What a route sees of a request. */
export interface ApiRequest {
  /** A part of the path, in lower case. @example param('id') */
  param(name: string): string
  readonly query: ApiQuery
  /** The body; an empty one is `{}`. */
  body(): Promise<JsonObject>
}

/** One call of the API. */
export interface ApiRoute {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** In lower case. @example '/bounces/:id/dump' */
  readonly path: string
  /** Returns the JSON of the answer. */
  readonly handle: (request: ApiRequest) => unknown
}
