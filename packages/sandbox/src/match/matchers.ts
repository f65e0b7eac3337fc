import { PostmarkError } from '@postmark-smtp/core'
import type { SandboxMail } from '../mail/sandbox-mail.js'
import { listMails, show } from './mail-list.js'
import { type Demand, type MailMatch, toDemands, toPredicate } from './mail-match.js'
import { type Outbox, readTimeout, type WaitOptions } from './outbox.js'

/** What `./vitest` and `./jest` add to `expect(sandbox)`. */
export interface SandboxMatchers {
  /**
   * Passes as soon as a mail matches, there already or yet to come; with `.not`, when none is there now. A mail
   * that Postmark would refuse fails both.
   * @param match as for `sandbox.waitFor`; without one, any mail
   * @param options `timeoutMs`: milliseconds until it fails (default 1000, below the time limit of a test)
   * @example await expect(sandbox).toHaveSent({ to: 'ann@example.com', stream: 'outbound', tag: 'welcome' })
   * @example await expect(sandbox).not.toHaveSent({ metadata: { 'order-id': expect.any(String) } })
   */
  toHaveSent(match?: MailMatch | ((mail: SandboxMail) => boolean), options?: WaitOptions): Promise<void>
}

/** The part that vitest and jest have in common of what they call a matcher with. */
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

type Wanted = NonNullable<Parameters<SandboxMatchers['toHaveSent']>[0]>

/** The function of {@link SandboxMatchers.toHaveSent}, for `expect.extend`. */
export async function toHaveSent(
  this: MatcherContext,
  received: unknown,
  wanted: Wanted = {},
  options: WaitOptions = {},
): Promise<MatcherResult> {
  const { isNot = false, utils } = this
  const { outbox, waitFor } = toSentMails(received)
  const matches = toPredicate(wanted)
  const timeoutMs = readTimeout(options, 1000)
  const predicate = (mail: SandboxMail) => matches(mail) && (isNot || mail.verdict.outcome === 'sent')
  if (!isNot) await waitFor(predicate, { timeoutMs }).catch(() => undefined)
  const mail = outbox.find(predicate)
  return {
    pass: mail !== undefined,
    message() {
      const hint = utils.matcherHint('toHaveSent', 'sandbox', 'match', { isNot })
      const refused = outbox.find(matches)
      if (mail) return `${hint}\n\nA mail like this was not expected${listMails([mail])}`
      if (refused) return `${hint}\n\n${describeRefusal(refused)}`
      return `${hint}\n\n${describeMiss(utils, wanted, outbox, timeoutMs)}`
    },
  }
}

/** The part of a sandbox that the matcher reads. */
interface SentMails {
  readonly outbox: readonly SandboxMail[]
  readonly waitFor: Outbox['waitFor']
}

function toSentMails(received: unknown): SentMails {
  const { outbox, waitFor } = (received ?? {}) as Partial<SentMails>
  if (outbox && waitFor) return { outbox, waitFor }
  throw new PostmarkError('ERR_POSTMARK_OPTIONS', `toHaveSent() wants a sandbox, not ${show(received)}.`, {
    hint: 'Give expect() what startSandbox() returned.',
  })
}

function describeRefusal(mail: SandboxMail): string {
  const reasons = mail.verdict.problems.map(
    ({ errorCode, message, cure }) => `\n    ${errorCode}: ${message} ${cure}`,
  )
  return `A mail matched, but Postmark would refuse it${listMails([mail])}${reasons.join('')}`
}

function describeMiss(
  utils: MatcherContext['utils'],
  wanted: Wanted,
  mails: readonly SandboxMail[],
  timeoutMs: number,
): string {
  const within = `within ${timeoutMs} ms`
  if (mails.length === 0) return `No mail was sent ${within}${describeWanted(utils, wanted)}`
  if (typeof wanted === 'function') return `No mail matched ${within}. These were sent${listMails(mails)}`
  const closest = toClosest(wanted, mails)
  const others = mails.filter((mail) => mail !== closest.mail)
  const rest = others.length > 0 ? `\n\nThe others${listMails(others)}` : ''
  const { expected, found } = toSides(closest.demands)
  return `No mail matched ${within}. The closest of ${mails.length}:\n\n${utils.diff(expected, found)}${rest}`
}

/** Printed as a diff, as where a mail differs: the runners print a lone value in another way. */
function describeWanted(utils: MatcherContext['utils'], wanted: Wanted): string {
  const isOpen = typeof wanted === 'function' || Object.keys(wanted).length === 0
  return isOpen ? '.' : `:\n\n${utils.diff(wanted, {})}`
}

/** The mail that fails the fewest demands; of several the last. */
function toClosest(
  wanted: MailMatch,
  mails: readonly SandboxMail[],
): { mail: SandboxMail; demands: Demand[] } {
  const unmet = (demands: Demand[]) => demands.filter(({ met }) => !met).length
  return mails
    .map((mail) => ({ mail, demands: toDemands(wanted, mail) }))
    .reduce((best, next) => (unmet(next.demands) <= unmet(best.demands) ? next : best))
}

/** The two sides of a diff. What is met looks the same on both, so that only what differs is seen. */
function toSides(demands: readonly Demand[]): { expected: object; found: object } {
  const expected = {}
  const found = {}
  for (const { path, wanted, met, ...demand } of demands) {
    // A mail holds a number of metadata as text.
    const side = typeof demand.found === 'string' ? toText(wanted) : wanted
    put(expected, path, side)
    put(found, path, met ? side : demand.found)
  }
  return { expected, found }
}

function toText(wanted: unknown): unknown {
  return typeof wanted === 'number' || typeof wanted === 'boolean' ? String(wanted) : wanted
}

function put(target: object, path: readonly string[], value: unknown): void {
  const [name = '', ...rest] = path
  const there: unknown = Object.getOwnPropertyDescriptor(target, name)?.value
  const next = rest.length === 0 ? value : (there ?? {})
  Object.defineProperty(target, name, { value: next, enumerable: true, configurable: true, writable: true })
  if (rest.length > 0) put(next as object, rest, value)
}
