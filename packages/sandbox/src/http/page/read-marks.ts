import type { SandboxMail } from '../../mail/sandbox-mail.js'

/** The emails that someone has opened on the page. All viewers share these marks. */
export class ReadMarks {
  readonly #read = new WeakSet<SandboxMail>()
  readonly #listeners = new Set<() => void>()

  has(mail: SandboxMail): boolean {
    return this.#read.has(mail)
  }

  mark(mails: readonly SandboxMail[], isRead: boolean): void {
    const changed = mails.filter((mail) => this.has(mail) !== isRead)
    for (const mail of changed) {
      if (isRead) this.#read.add(mail)
      else this.#read.delete(mail)
    }
    if (changed.length > 0) for (const listener of this.#listeners) listener()
  }

  /** Calls the listener at each change. Returns a function that stops this. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }
}
