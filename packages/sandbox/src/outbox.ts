import { inspect } from 'node:util'
import { type MailMatch, toPredicate } from './mail-match.js'
import type { SandboxMail } from './sandbox-mail.js'

/** How `waitFor` waits. */
export interface WaitOptions {
  /** Milliseconds until it gives up (default 5000). */
  readonly timeoutMs?: number
}

/** Keeps the mails and wakes those who wait for one. */
export interface Outbox {
  readonly mails: SandboxMail[]
  add(mail: SandboxMail): void
  waitFor(wanted: MailMatch | ((mail: SandboxMail) => boolean), options?: WaitOptions): Promise<SandboxMail>
  clear(): void
  close(): void
}

interface Waiter {
  offer(mail: SandboxMail): void
  fail(reason: string): void
}

/** An empty outbox. */
export function createOutbox(): Outbox {
  const mails: SandboxMail[] = []
  const waiters = new Set<Waiter>()

  async function waitFor(...[wanted, { timeoutMs = 5000 } = {}]: Parameters<Outbox['waitFor']>) {
    const predicate = toPredicate(wanted)
    const there = mails.find(predicate)
    if (there !== undefined) return there
    return new Promise<SandboxMail>((resolve, reject) => {
      const settle = (finish: () => void) => {
        clearTimeout(timer)
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
        fail: (reason) => settle(() => reject(new Error(describeMiss(wanted, reason, mails)))),
      }
      const timer = setTimeout(() => waiter.fail(`within ${timeoutMs} ms`), timeoutMs)
      waiters.add(waiter)
    })
  }

  return {
    mails,
    waitFor,
    add(mail) {
      mails.push(mail)
      for (const waiter of waiters) waiter.offer(mail)
    },
    clear() {
      mails.length = 0
    },
    close() {
      for (const waiter of waiters) waiter.fail('before the sandbox was closed')
    },
  }
}

const SHOWN = 10

function describeMiss(wanted: unknown, reason: string, mails: readonly SandboxMail[]): string {
  const what = typeof wanted === 'function' ? 'for which the function is true' : `with ${show(wanted)}`
  if (mails.length === 0) return `No mail ${what} arrived ${reason}. Nothing arrived at all.`
  const lines = mails.slice(-SHOWN).map((mail) => {
    const { envelope, subject, postmark } = mail
    return `\n  - to ${envelope.to.join(', ')}, subject ${show(subject)}, postmark ${show(postmark)}`
  })
  const last = mails.length > SHOWN ? ` (the last ${SHOWN} of ${mails.length})` : ''
  return `No mail ${what} arrived ${reason}. These arrived${last}:${lines.join('')}`
}

function show(value: unknown): string {
  return inspect(value, { depth: 3, breakLength: Number.POSITIVE_INFINITY })
}
