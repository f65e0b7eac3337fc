import { PostmarkError } from './error.js'

/** The error for a function that returns a middleware but was registered as the middleware itself. */
export function uncalledError(name: string): PostmarkError {
  const hint = `Call it when you register it: app.use(${name}(…)).`
  return new PostmarkError(
    'ERR_POSTMARK_OPTIONS',
    `${name} returns the middleware, but was itself registered as the middleware. ${hint}`,
    { hint },
  )
}
