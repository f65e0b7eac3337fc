import type { StreamType } from '@postmark-smtp/core'
import { createApiAccess } from './http/api-access.js'
import { listenHttp } from './http/http-server.js'
import { createPage } from './http/page/page.js'
import { keepData } from './keep-data.js'
import type { SandboxMail } from './mail/sandbox-mail.js'
import type { MailMatch } from './match/mail-match.js'
import { createOutbox, type WaitOptions } from './match/outbox.js'
import { checkOptions, type SandboxOptions } from './sandbox-options.js'
import type { SandboxBounce } from './server/bounce.js'
import type { MailActions } from './server/mail-actions.js'
import { createPostmarkServer, type PostmarkServer } from './server/postmark-server.js'
import type { SandboxEvent } from './server/sandbox-event.js'
import type { ServerEvents } from './server/server-events.js'
import type { SandboxSuppression } from './server/suppressions.js'
import { loopbackCertificate, makeCertificate } from './smtp/certificate.js'
import { FaultGate } from './smtp/faults/fault-gate.js'
import type { Fault } from './smtp/faults/fault-script.js'
import { HOST, type Listener } from './smtp/listener.js'
import { createLoginCheck } from './smtp/logins.js'
import { isLoopback, isWildcard, toAuthority } from './smtp/loopback.js'
import { listenSmtp } from './smtp/smtp-listener.js'
import { type DataDirectory, openDataDirectory } from './store/data-directory.js'
import { type Clock, createClock } from './webhooks/clock.js'
import type { SandboxWebhook, WebhookOptions } from './webhooks/webhook.js'
import { createWebhookSender, type SandboxWebhooks, type WebhookSender } from './webhooks/webhook-sender.js'

export type { SandboxOptions } from './sandbox-options.js'

/** A running sandbox. */
export interface Sandbox extends AsyncDisposable, MailActions {
  /** The address of all ports. */
  readonly host: string
  readonly port: number
  /** Every port of the same host, `port` first. */
  readonly ports: readonly number[]
  /** The port that replaces Postmark's broadcasts host; undefined if `port` replaces both. */
  readonly broadcastsPort: number | undefined
  /** The connection URL for `createPostmarkTransport`. @example 'postmark+smtp://…@127.0.0.1:41235?plaintext=1' */
  readonly url: string
  /** The server token in that URL. Other clients use it as both user name and password. */
  readonly token: string
  /** The sandbox's own certificate in PEM, for `tls: { ca }`; valid for localhost, 127.0.0.1 and `tlsNames`. */
  readonly ca: string

  /** The emails accepted so far, oldest first, including those that Postmark would refuse (see `mail.verdict`). */
  readonly outbox: readonly SandboxMail[]
  /** The bounces so far, oldest first. Each refused email has one of the type SMTPApiError. */
  readonly bounces: readonly SandboxBounce[]
  /** The addresses that a message stream sends nothing to. */
  readonly suppressions: readonly SandboxSuppression[]
  /**
   * Resolves with the first email that matches, whether it is there already or still to come.
   * @example await sandbox.waitFor({ to: 'ann@example.com', postmark: { tag: 'welcome' } })
   * @throws Error that says what arrived instead, after `timeoutMs` (default 5000) or when the sandbox closes
   * @throws PostmarkError ERR_POSTMARK_OPTIONS for an unknown key
   */
  waitFor(wanted: MailMatch | ((mail: SandboxMail) => boolean), options?: WaitOptions): Promise<SandboxMail>

  /** What could not be read from the directory `data` at start, one sentence each. The rest was restored. */
  readonly dataProblems: readonly string[]

  /** What happened to an email after its `250`, oldest first. */
  events(mail: SandboxMail): readonly SandboxEvent[]
  /** The address of the inbox page. @example 'http://127.0.0.1:41237/' */
  readonly inboxUrl: string
  /** The address of the REST API. @example 'http://127.0.0.1:41237' */
  readonly apiUrl: string
  /**
   * Host and port of the REST API, as the official client wants them.
   * @example new ServerClient(sandbox.token, { requestHost: sandbox.apiHost, useHttps: false })
   */
  readonly apiHost: string
  /** The webhooks, and every attempt to post to one. */
  readonly webhooks: SandboxWebhooks
  /**
   * Adds a webhook, which gets the events from now on. Unlike Postmark's API, this posts nothing to verify it.
   * @throws PostmarkError ERR_POSTMARK_OPTIONS
   */
  addWebhook(options: WebhookOptions): SandboxWebhook
  /**
   * Moves the sandbox's time on. Resolves when the posts that became due on the way have been made. `advance(0)` waits
   * for those that are due now.
   * @example await sandbox.advance(60_000) // the first retry
   */
  advance(ms: number): Promise<void>

  /**
   * Makes a fault strike on the next connection. First ends the connections that are logged in and idle, because a pool
   * would otherwise reuse one of them. Resolves when that is done.
   * @example await sandbox.fail({ phase: 'dot', kind: 'cut', accepted: true })
   * @throws PostmarkError ERR_POSTMARK_OPTIONS for an unknown phase or kind
   */
  fail(fault: Fault): Promise<void>
  /** Calls the listener for each email or event from now on. Returns a function that stops this. */
  on<K extends keyof ServerEvents>(event: K, listener: (...args: ServerEvents[K]) => void): () => void
  /** Removes all emails, bounces, events and suppressions. */
  clear(): void
  /** Ends every connection and stops listening. The outbox can still be read. */
  close(): Promise<void>
}

/** The token in the URL if any is accepted: a UUID, like a real one, and always the same, for snapshots. */
const OPEN_TOKEN = '5a4db0c5-0000-4000-8000-706f73746d61'

/**
 * Starts a local Postmark that keeps every email, on the loopback interface.
 * @example
 * await using sandbox = await startSandbox()
 * const transport = createPostmarkTransport(sandbox.url)
 * await transport.sendMail({ from, to: 'ann@example.com', subject, text, postmark: { tag: 'welcome' } })
 * const mail = await sandbox.waitFor({ to: 'ann@example.com' })
 * mail.postmark.tag // 'welcome'
 * @throws PostmarkError ERR_POSTMARK_OPTIONS for a bad option, or if a port cannot be used
 */
export async function startSandbox(options: SandboxOptions = {}): Promise<Sandbox> {
  checkOptions(options)
  const { port = 0, ports = [], broadcastsPort, host: address = HOST, password } = options
  const serverTokens = options.serverToken === undefined ? undefined : [options.serverToken].flat()
  const clock = createClock()
  const onProblem = (message: string) => server.reportDataProblem(message)
  const data = options.data === undefined ? undefined : await openDataDirectory(options.data, { onProblem })
  const { server, webhooks, dataProblems } = openServer(options, clock, data)
  const outbox = createOutbox(server)
  const listeners: Listener[] = []
  const close = async () => {
    clock.close()
    webhooks.close()
    await Promise.all(listeners.map((listener) => listener.close()))
    outbox.close()
    data?.close()
  }
  try {
    const checkLogin = createLoginCheck(serverTokens, options.smtpTokens, server.streams)
    const gate = new FaultGate(options.faults)
    const { allowAnonymous = false, checkPrivateLinks = false, tlsNames = [] } = options
    const certificate =
      options.tls ?? (await (tlsNames.length > 0 ? makeCertificate(tlsNames) : loopbackCertificate()))
    const open = async (hostType: StreamType | undefined, wanted: number) => {
      const listener = await listenSmtp({
        address,
        port: wanted,
        certificate,
        server,
        checkLogin,
        allowAnonymous,
        gate,
        hostType,
      })
      listeners.push(listener)
      return listener.port
    }
    const hostType = broadcastsPort === undefined ? undefined : 'transactional'
    const smtpPort = await open(hostType, port)
    const smtpPorts = [smtpPort]
    for (const further of ports) smtpPorts.push(await open(hostType, further))
    const otherPort = broadcastsPort === undefined ? undefined : await open('broadcasts', broadcastsPort)
    const token = serverTokens?.[0] ?? OPEN_TOKEN
    const smtpUrl = toSmtpUrl(token, address, smtpPort)
    const accepts = createApiAccess(serverTokens, password)
    const http = await listenHttp({
      address,
      port: options.httpPort ?? 0,
      password,
      api: { server, webhooks, token },
      control: {
        server,
        ca: certificate.cert,
        waitFor: outbox.waitFor,
        fail: (fault) => gate.fail(fault as Fault),
        advance: clock.advance,
      },
      accepts,
      page: createPage({ server, webhooks, smtpUrl, checkPrivateLinks }),
    })
    listeners.push(http)
    const apiHost = toAuthority(address, http.port)
    return {
      host: address,
      port: smtpPort,
      ports: smtpPorts,
      broadcastsPort: otherPort,
      token,
      url: smtpUrl,
      apiHost,
      apiUrl: `http://${apiHost}`,
      inboxUrl: `http://${apiHost}/`,
      webhooks,
      addWebhook: webhooks.add,
      advance: clock.advance,
      ca: certificate.cert,
      outbox: server.mails,
      bounces: server.bounces,
      dataProblems,
      get suppressions() {
        return server.suppressions
      },
      waitFor: (wanted, waitOptions) => outbox.waitFor(wanted, waitOptions),
      events: server.eventsOf,
      bounce: server.bounce,
      open: server.open,
      click: server.click,
      complain: server.complain,
      unsubscribe: server.unsubscribe,
      suppress: server.suppress,
      unsuppress: server.unsuppress,
      on: server.on,
      fail: (fault) => gate.fail(fault),
      clear: server.clear,
      close,
      [Symbol.asyncDispose]: close,
    }
  } catch (error) {
    await close()
    throw error
  }
}

/** Makes server and webhooks, and restores them from the directory. */
function openServer(options: SandboxOptions, clock: Clock, data: DataDirectory | undefined): OpenServer {
  try {
    const journal = data && { journal: data }
    const server = createPostmarkServer({ ...options, ...journal, now: clock.now })
    const webhooks = createWebhookSender(server, clock, journal)
    const dataProblems = data ? keepData(data, server, webhooks) : []
    for (const webhook of options.webhooks ?? []) webhooks.declare(webhook)
    server.restored()
    return { server, webhooks, dataProblems }
  } catch (error) {
    data?.close()
    throw error
  }
}

interface OpenServer {
  readonly server: PostmarkServer
  readonly webhooks: WebhookSender
  readonly dataProblems: readonly string[]
}

function toSmtpUrl(token: string, address: string, port: number): string {
  // Without TLS, createPostmarkTransport connects only to this machine.
  const plaintext = isLoopback(address) || isWildcard(address) ? '?plaintext=1' : ''
  return `postmark+smtp://${encodeURIComponent(token)}@${toAuthority(address, port)}${plaintext}`
}
