import { type Env, Hono } from 'hono'
import { toErrorResponse } from './api-error.js'

/**
 * Makes an application that answers errors in Postmark's JSON. As at Postmark, the case of a path is ignored: the client
 * requests /deliveryStats.
 */
export function createJsonApp<E extends Env>(): Hono<E> {
  const app = new Hono<E>({
    getPath: ({ url }) => new URL(url).pathname.toLowerCase().replace(/(?<=.)\/$/, ''),
  })
  app.onError((error) => toErrorResponse(error))
  return app
}
