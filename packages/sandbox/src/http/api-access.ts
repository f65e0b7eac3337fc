import { isSame } from './http-guard.js'

/**
 * Checks whether a token may use the API. It must be a server token of the sandbox. If the sandbox has none, the token must
 * be the password, and without a password any token may, except the access key of an SMTP token, as at Postmark.
 */
export function createApiAccess(
  serverTokens: readonly string[] | undefined,
  password: string | undefined,
): (token: string) => boolean {
  if (serverTokens) return (token) => serverTokens.some((wanted) => isSame(token, wanted))
  if (password !== undefined) return (token) => isSame(token, password)
  return (token) => !token.startsWith('PM-')
}
