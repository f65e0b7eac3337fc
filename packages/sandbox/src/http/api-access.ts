import { isSame } from './http-guard.js'

/**
 * Whether a token may use the API: a server token of the sandbox. Where any would do, any will, but the access key
 * of an SMTP token, which has no such power at Postmark either; and with a password only that password.
 */
export function createApiAccess(
  serverTokens: readonly string[] | undefined,
  password: string | undefined,
): (token: string) => boolean {
  if (serverTokens) return (token) => serverTokens.some((wanted) => isSame(token, wanted))
  if (password !== undefined) return (token) => isSame(token, password)
  return (token) => !token.startsWith('PM-')
}
