import type { Route } from '../delivery/route.js'
import { explainInMessage } from '../problems/explain-smtp-error.js'

/** Logs in once on each route. @throws the error of the first route that failed; its message lists every route */
export async function verifyRoutes(routes: readonly Route[]): Promise<true> {
  const results = await Promise.allSettled(routes.map((route) => route.verify()))
  const failed = results.flatMap((result, index) =>
    result.status === 'fulfilled'
      ? []
      : [{ host: routes[index]!.host, error: explainInMessage(result.reason as Error) }],
  )
  const [first] = failed
  if (!first) return true
  if (routes.length === 1) throw first.error
  const lines = failed.map(({ host, error }) => `\n  - ${host}: ${error.message}`).join('')
  throw Object.assign(first.error, {
    message: `${failed.length} of ${routes.length} logins failed:${lines}`,
  })
}
