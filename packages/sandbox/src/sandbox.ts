import { SMTPServer } from 'smtp-server'
import { loopbackCertificate } from './certificate.js'
import { HOST, listen } from './listener.js'
import type { MailMatch } from './mail-match.js'
import { createOutbox, type WaitOptions } from './outbox.js'
import type { SandboxMail } from './sandbox-mail.js'
import { SIZE_LIMIT, sessionHandlers } from './smtp-session.js'

/** What {@link startSandbox} takes. */
export interface SandboxOptions {
  /** The port to listen on (default 0: a free one). */
  readonly port?: number
  /**
   * The one server token that may log in. By default any may: a user name that is its own password, as a
   * server token is, or one that begins with `PM-`, as the access key of an SMTP token does.
   */
  readonly serverToken?: string
}

/** A running sandbox. */
export interface Sandbox extends AsyncDisposable {
  readonly host: '127.0.0.1'
  readonly port: number
  /** The connection URL for `createPostmarkTransport`. @example 'postmark+smtp://…@127.0.0.1:41235?plaintext=1' */
  readonly url: string
  /** The server token in that URL, for other clients: user name and password alike. */
  readonly token: string
  /** The sandbox's own certificate in PEM, for `tls: { ca }`; valid for localhost and 127.0.0.1. */
  readonly ca: string
  /** The mails accepted so far, oldest first. */
  readonly outbox: readonly SandboxMail[]
  /**
   * The first mail, there already or yet to come, that matches.
   * @example await sandbox.waitFor({ to: 'ann@example.com', postmark: { tag: 'welcome' } })
   * @throws Error that says what arrived instead, after `timeoutMs` (default 5000) or at close
   * @throws PostmarkError ERR_POSTMARK_OPTIONS for an unknown key
   */
  waitFor(wanted: MailMatch | ((mail: SandboxMail) => boolean), options?: WaitOptions): Promise<SandboxMail>
  /** Empties the outbox. */
  clear(): void
  /** Ends every connection and stops listening; the outbox can still be read. */
  close(): Promise<void>
}

/** A token for the URL while any will do: a UUID, as real ones are, and always the same, for snapshots. */
const OPEN_TOKEN = '5a4db0c5-0000-4000-8000-706f73746d61'

/**
 * Starts a local Postmark that keeps every mail, on the loopback interface.
 * @example
 * await using sandbox = await startSandbox()
 * const transport = createPostmarkTransport(sandbox.url)
 * await transport.sendMail({ from, to: 'ann@example.com', subject, text, postmark: { tag: 'welcome' } })
 * const mail = await sandbox.waitFor({ to: 'ann@example.com' })
 * mail.postmark.tag // 'welcome'
 * @throws PostmarkError ERR_POSTMARK_OPTIONS where the port cannot be used
 */
export async function startSandbox(options: SandboxOptions = {}): Promise<Sandbox> {
  const { port: wantedPort = 0, serverToken } = options
  const { cert, key } = await loopbackCertificate()
  const outbox = createOutbox()
  const server = new SMTPServer({
    ...sessionHandlers(serverToken, outbox.add),
    name: 'smtp.sandbox',
    heloResponse: '%s',
    cert,
    key,
    logger: false,
    size: SIZE_LIMIT,
    authMethods: ['PLAIN', 'LOGIN', 'CRAM-MD5'],
    // As at Postmark, AUTH is offered before STARTTLS too: requiring TLS is the client's part.
    allowInsecureAuth: true,
    hideSMTPUTF8: true,
    hideDSN: false,
    disableReverseLookup: true,
    closeTimeout: 1,
  })
  const listener = await listen(server, wantedPort)
  const close = () => listener.close().then(outbox.close)
  const token = serverToken ?? OPEN_TOKEN
  return {
    host: HOST,
    port: listener.port,
    token,
    url: `postmark+smtp://${encodeURIComponent(token)}@${HOST}:${listener.port}?plaintext=1`,
    ca: cert,
    outbox: outbox.mails,
    waitFor: outbox.waitFor,
    clear: outbox.clear,
    close,
    [Symbol.asyncDispose]: close,
  }
}
