import { AssertionError } from 'node:assert'
import type { SandboxMail } from '../mail/sandbox-mail.js'
import { findSent, type SentFault, type SentMatch, type SentOptions } from './sent-mails.js'

/**
 * Waits until an email matches, for Node's test runner and any other. The email may be there already. An email that Postmark
 * would refuse does not count.
 * @param match as for `sandbox.waitFor`; without one, any email
 * @param options `timeoutMs`: milliseconds until it fails (default 1000); `count`: how many emails must match
 * @returns the first email that matches
 * @example const mail = await assertSent(sandbox, { to: 'ann@example.com', tag: 'welcome' })
 * @throws AssertionError if none matches: says how the closest mail differs, with `expected` and `actual`
 * @throws PostmarkError ERR_POSTMARK_OPTIONS for an unknown key or option
 */
export async function assertSent(
  sandbox: { readonly outbox: readonly SandboxMail[] },
  match?: SentMatch,
  options?: SentOptions,
): Promise<SandboxMail> {
  const { pass, mails, describe } = await findSent('assertSent', sandbox, match, options)
  if (!pass) throw toError(describe(), assertSent)
  return mails[0]!
}

/**
 * Checks that no email matches now. Let the work finish first. An email that Postmark would refuse counts.
 * @param match as for `sandbox.waitFor`; without one, any email
 * @example await assertNotSent(sandbox, { to: 'bob@example.com' })
 * @throws AssertionError that lists the emails that match
 * @throws PostmarkError ERR_POSTMARK_OPTIONS for an unknown key
 */
export async function assertNotSent(
  sandbox: { readonly outbox: readonly SandboxMail[] },
  match?: SentMatch,
): Promise<void> {
  const { pass, describe } = await findSent('assertNotSent', sandbox, match, {}, true)
  if (pass) throw toError(describe(), assertNotSent)
}

function toError(
  { text, sides, rest }: SentFault,
  stackStartFn: (...args: never[]) => unknown,
): AssertionError {
  const { expected, found: actual } = sides ?? {}
  const difference = sides && new AssertionError({ actual, expected, operator: 'deepStrictEqual' }).message
  const message = [text, difference, rest].filter(Boolean).join('\n\n')
  return new AssertionError({
    message,
    actual,
    expected,
    operator: 'assertSent',
    stackStartFn: stackStartFn as () => void,
  })
}
