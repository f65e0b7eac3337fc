/**
 * The mails of a route that are in no session, in the order in which they came; those that come back go first. Whoever
 * takes a mail owns it: it is not here any more, so nobody else can take it.
 */
export class MailQueue<T> {
  readonly #returned = new Set<T>()
  readonly #waiting = new Set<T>()

  get size(): number {
    return this.#returned.size + this.#waiting.size
  }

  add(mail: T): void {
    this.#waiting.add(mail)
  }

  /** For a mail that had its turn already. */
  giveBack(mail: T): void {
    this.#returned.add(mail)
  }

  take(): T | undefined {
    for (const part of [this.#returned, this.#waiting])
      for (const mail of part) {
        part.delete(mail)
        return mail
      }
    return undefined
  }

  /** The mail that is next, left where it is. */
  get first(): T | undefined {
    for (const mail of this.#returned) return mail
    for (const mail of this.#waiting) return mail
    return undefined
  }

  /** Takes a certain mail out; false where it is not here. */
  remove(mail: T): boolean {
    return this.#returned.delete(mail) || this.#waiting.delete(mail)
  }

  /** The mails, the next one first. */
  *[Symbol.iterator](): IterableIterator<T> {
    yield* this.#returned
    yield* this.#waiting
  }
}
