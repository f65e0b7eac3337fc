import type { ConnectionOptions } from 'node:tls'
import { optionError } from '../problems/check-options.js'
import { PostmarkError } from '../problems/error.js'
import { isLoopback } from '../smtp/loopback.js'

/**
 * Throws if a token would be sent in plaintext or to an unverified server: TLS and its checks are only optional for a
 * loopback host.
 * @throws PostmarkError ERR_POSTMARK_TLS, _OPTIONS
 */
export function checkSafety(host: string | undefined, tls: ConnectionOptions, allowPlaintext: unknown): void {
  if (typeof allowPlaintext !== 'boolean')
    throw optionError('allowPlaintext', allowPlaintext, 'true or false')
  const loopback = host !== undefined && isLoopback(host)
  const hint = 'For a sandbox in another container, trust its certificate with `tls: { ca }`.'
  const refuse = (message: string) => new PostmarkError('ERR_POSTMARK_TLS', message, { hint })
  if (allowPlaintext && !loopback) {
    throw refuse(
      'allowPlaintext is only allowed for a loopback host: the email and the token would cross the network in plaintext.',
    )
  }
  if (tls.rejectUnauthorized === false && !loopback) {
    throw refuse(
      'tls.rejectUnauthorized: false is only allowed for a loopback host: anyone could pose as the server.',
    )
  }
  for (const version of [tls.minVersion, tls.maxVersion]) {
    if (version === 'TLSv1' || version === 'TLSv1.1')
      throw refuse(`${version} is not secure; TLS 1.2 is the minimum.`)
  }
}
