import type { ReceivedMail } from './received-mail.js'

/** Keeps emails, and resolves the calls that wait for one. */
export interface Mailbox {
  readonly mails: ReceivedMail[]
  add(mail: ReceivedMail): void
  waitFor(predicate: (mail: ReceivedMail) => boolean, timeoutMs?: number): Promise<ReceivedMail>
  clear(): void
  close(): void
}

/** An empty mailbox. */
export function createMailbox(): Mailbox {
  const mails: ReceivedMail[] = []
  const waiting = new Set<{ offer(mail: ReceivedMail): void; fail(reason: string): void }>()

  const waitFor: Mailbox['waitFor'] = (predicate, timeoutMs = 5000) =>
    new Promise((resolve, reject) => {
      const settle = (finish: () => void) => {
        clearTimeout(timer)
        waiting.delete(waiter)
        finish()
      }
      const waiter = {
        offer(mail: ReceivedMail) {
          try {
            if (predicate(mail)) settle(() => resolve(mail))
          } catch (error) {
            settle(() => reject(error))
          }
        },
        fail: (reason: string) =>
          settle(() => reject(new Error(`No matching mail arrived ${reason}. ${arrived(mails)}`))),
      }
      const timer = setTimeout(() => waiter.fail(`within ${timeoutMs} ms`), timeoutMs)
      waiting.add(waiter)
      for (const mail of mails) if (waiting.has(waiter)) waiter.offer(mail)
    })

  return {
    mails,
    waitFor,
    add(mail) {
      mails.push(mail)
      for (const waiter of waiting) waiter.offer(mail)
    },
    clear() {
      mails.length = 0
    },
    close() {
      for (const waiter of waiting) waiter.fail('before the server was closed')
    },
  }
}

function arrived(mails: readonly ReceivedMail[]): string {
  if (mails.length === 0) return 'Nothing arrived.'
  const subjects = mails.map((mail) => mail.header('subject') ?? '(no subject)')
  return `Arrived: ${subjects.join('; ')}.`
}
