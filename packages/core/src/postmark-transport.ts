import { EventEmitter } from 'node:events'
import type { ConnectionGroup } from './connection-group.js'
import { createConnectionGroup } from './connection-group.js'
import { PostmarkError, problemsError } from './error.js'
import type { SendingMail, SentCallback } from './nodemailer-types.js'
import { UNKNOWN_STREAM } from './problem.js'
import type { Route, TransportSettings } from './transport-options.js'
import type { ParsedPostmarkFields } from './vocabulary.js'

/** A Nodemailer transport that picks the connections by the stream of the mail. */
export class PostmarkTransport extends EventEmitter {
  readonly name = 'postmark-smtp'
  readonly version = '1'
  readonly #settings: TransportSettings
  readonly #groups = new Map<string, ConnectionGroup>()
  readonly #sending = new Set<Promise<void>>()
  #closed: Promise<void> | undefined

  constructor(settings: TransportSettings) {
    super()
    this.#settings = settings
  }

  /** Called by Nodemailer once a mail is compiled. */
  send(mail: SendingMail, done: SentCallback): void {
    if (this.#closed) {
      done(new PostmarkError('ERR_POSTMARK_CLOSED', 'The transporter is closed; the mail was not sent.'))
      return
    }
    const { messageStream } = (mail.data.postmark ?? {}) as ParsedPostmarkFields
    const stream = messageStream ?? undefined
    const route = this.#settings.route(stream)
    if (route.onlyStream !== undefined && stream !== undefined && stream !== route.onlyStream) {
      done(wrongStream(stream, route.onlyStream))
      return
    }
    const sent = new Promise<void>((resolve) => {
      this.#group(route).send(mail, (error, info) => {
        resolve()
        done(error, info)
      })
    })
    this.#sending.add(sent)
    void sent.then(() => this.#sending.delete(sent))
  }

  /** Logs in once per host and login that is declared or in use. */
  verify(callback?: (error: Error | null, success?: true) => void): Promise<true> | undefined {
    for (const route of this.#settings.declared) this.#group(route)
    const all = Promise.all([...this.#groups.values()].map((group) => group.verify())).then(
      () => true as const,
    )
    if (!callback) return all
    all.then(
      (success) => callback(null, success),
      (error: Error) => callback(error),
    )
    return undefined
  }

  /** Whether a mail given now would leave without waiting. */
  isIdle(): boolean {
    return [...this.#groups.values()].every((group) => group.isIdle())
  }

  /** Takes no more mails, waits for those under way, then ends every connection. */
  close(): Promise<void> {
    this.#closed ??= Promise.all(this.#sending).then(() => {
      for (const group of this.#groups.values()) group.close()
    })
    return this.#closed
  }

  #group(route: Route): ConnectionGroup {
    const key = JSON.stringify([route.host, route.login.user, route.login.pass])
    let group = this.#groups.get(key)
    if (!group) {
      group = createConnectionGroup(route, this.#settings)
      this.#groups.set(key, group)
    }
    return group
  }
}

function wrongStream(stream: string, only: string): PostmarkError {
  return problemsError('ERR_POSTMARK_PREFLIGHT', [
    {
      path: 'messageStream',
      found: `is ${JSON.stringify(stream)}`,
      limit: `the SMTP token is for the stream ${JSON.stringify(only)}`,
      cure: `Give the stream credentials of its own in \`streams\`, or use a server token.`,
      severity: 'error',
      errorCode: UNKNOWN_STREAM,
    },
  ])
}
