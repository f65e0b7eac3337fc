import type { Context } from 'hono'

/** The fields of a form, none if nothing was posted. Undefined if the body is not a form. */
export async function readForm({ req }: Context): Promise<Readonly<Record<string, unknown>> | undefined> {
  const type = req.header('content-type')
  if (type !== undefined && !/^(?:multipart\/form-data|application\/x-www-form-urlencoded)\b/i.test(type)) {
    return undefined
  }
  return req.parseBody().catch(() => undefined)
}
