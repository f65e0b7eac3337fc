/**
 * The emails of a route that no session has, in order of arrival; those that come back go first. Taking an email removes
 * it from here, so nothing else can take it.
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

  /** For an email that has already had its turn. */
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

  /** The next email, without removing it. */
  get first(): T | undefined {
    for (const mail of this.#returned) return mail
    for (const mail of this.#waiting) return mail
    return undefined
  }

  /** Removes a certain mail. Returns false if it is not here. */
  remove(mail: T): boolean {
    return this.#returned.delete(mail) || this.#waiting.delete(mail)
  }

  /** The emails, the next one first. */
  *[Symbol.iterator](): IterableIterator<T> {
    yield* this.#returned
    yield* this.#waiting
  }
}
