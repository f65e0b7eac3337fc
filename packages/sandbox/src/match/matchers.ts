import { findSent, type SentMatch, type SentOptions } from './sent-mails.js'

/** The matchers that `./vitest` and `./jest` add to `expect(sandbox)`. */
export interface SandboxMatchers {
  /**
   * Waits until an email matches, which may be there already. With `.not`, checks that none matches now. An email that
   * Postmark would refuse fails both.
   * @param match as for `sandbox.waitFor`; without one, any email
   * @param options `timeoutMs`: milliseconds until it fails (default 1000, below the time limit of a test); `count`: how
   * many emails must match
   * @example await expect(sandbox).toHaveSent({ to: 'ann@example.com', stream: 'outbound', tag: 'welcome' })
   * @example await expect(sandbox).toHaveSent({ html: /Hello Ann/, attachments: ['invoice.pdf'] }, { count: 1 })
   * @example await expect(sandbox).not.toHaveSent({ metadata: { 'order-id': expect.any(String) } })
   */
  toHaveSent(match?: SentMatch, options?: SentOptions): Promise<void>
}

/** The part of a matcher's context that Vitest and Jest have in common. */
interface MatcherContext {
  readonly isNot?: boolean
  readonly utils: {
    matcherHint(name: string, received: string, expected: string, options: { isNot: boolean }): string
    diff(expected: unknown, received: unknown): string | null | undefined
  }
}

interface MatcherResult {
  readonly pass: boolean
  message(): string
}

/** The function of {@link SandboxMatchers.toHaveSent}, for `expect.extend`. */
export async function toHaveSent(
  this: MatcherContext,
  received: unknown,
  wanted?: SentMatch,
  options?: SentOptions,
): Promise<MatcherResult> {
  const { isNot = false, utils } = this
  const { pass, describe } = await findSent('toHaveSent', received, wanted, options, isNot)
  return {
    pass,
    message() {
      const hint = utils.matcherHint('toHaveSent', 'sandbox', 'match', { isNot })
      const { text, sides, rest } = describe()
      // Printed as a diff even if nothing was sent, because the runners print a single value differently.
      const difference = sides && utils.diff(sides.expected, sides.found)
      return [hint, text, difference, rest].filter(Boolean).join('\n\n')
    },
  }
}
