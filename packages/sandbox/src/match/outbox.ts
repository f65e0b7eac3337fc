import { optionError, refuseUnknown } from '@postmark-smtp/core/internal'
import type { SandboxMail } from '../mail/sandbox-mail.js'
import type { PostmarkServer } from '../server/postmark-server.js'
import { listMails, show } from './mail-list.js'
import { type MailMatch, toPredicate } from './mail-match.js'

/** Options of `waitFor`. */
export interface WaitOptions {
  /** Milliseconds until it gives up (default 5000). */
  readonly timeoutMs?: number
}

/** The option, if there is one. @throws PostmarkError ERR_POSTMARK_OPTIONS */
export function readTimeout(options: WaitOptions, usual: number): number {
  if (typeof options === 'number')
    throw optionError('timeoutMs', options, `given in an object: { timeoutMs: ${options} }`)
  refuseUnknown(options, ['timeoutMs'])
  const { timeoutMs = usual } = options
  if (typeof timeoutMs === 'number' && timeoutMs >= 0 && timeoutMs < 2 ** 31) return timeoutMs
  throw optionError('timeoutMs', timeoutMs, 'a number of milliseconds below 2 ** 31')
}

/** Lets callers wait for an email. */
export interface Outbox {
  /** @param signal ends it early, with the signal's reason */
  waitFor(
    wanted: MailMatch | ((mail: SandboxMail) => boolean),
    options?: WaitOptions,
    signal?: AbortSignal,
  ): Promise<SandboxMail>
  close(): void
}

/** The error of a `waitFor` that found no email. It says what arrived instead. */
export class WaitEnded extends Error {}

interface Waiter {
  offer(mail: SandboxMail): void
  fail(reason: string): void
}

/** The outbox of a server. */
export function createOutbox(server: Pick<PostmarkServer, 'mails' | 'on'>): Outbox {
  const { mails } = server
  const waiters = new Set<Waiter>()

  async function waitFor(...[wanted, options = {}, signal]: Parameters<Outbox['waitFor']>) {
    const predicate = toPredicate(wanted)
    const timeoutMs = readTimeout(options, 5000)
    const there = mails.find(predicate)
    if (there !== undefined) return there
    signal?.throwIfAborted()
    return new Promise<SandboxMail>((resolve, reject) => {
      const settle = (finish: () => void) => {
        clearTimeout(timer)
        signal?.removeEventListener('abort', abort)
        waiters.delete(waiter)
        finish()
      }
      const waiter: Waiter = {
        offer(mail) {
          try {
            if (predicate(mail)) settle(() => resolve(mail))
          } catch (error) {
            settle(() => reject(error))
          }
        },
        fail: (reason) => settle(() => reject(new WaitEnded(describeMiss(wanted, reason, mails)))),
      }
      const abort = () => settle(() => reject(signal?.reason))
      signal?.addEventListener('abort', abort)
      const timer = setTimeout(() => waiter.fail(`within ${timeoutMs} ms`), timeoutMs)
      waiters.add(waiter)
    })
  }

  server.on('mail', (mail) => {
    for (const waiter of waiters) waiter.offer(mail)
  })
  return {
    waitFor,
    close() {
      for (const waiter of waiters) waiter.fail('before the sandbox was closed')
    },
  }
}

function describeMiss(wanted: unknown, reason: string, mails: readonly SandboxMail[]): string {
  const what = typeof wanted === 'function' ? 'for which the function returns true' : `with ${show(wanted)}`
  if (mails.length === 0) return `No email ${what} arrived ${reason}. Nothing arrived at all.`
  return `No email ${what} arrived ${reason}. These arrived${listMails(mails)}`
}
