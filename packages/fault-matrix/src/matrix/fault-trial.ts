import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { setTimeout } from 'node:timers/promises'
import { inspect } from 'node:util'
import {
  createPostmarkTransport,
  deliveryOutcome,
  explainSmtpError,
  type PostmarkTransporter,
} from '@postmark-smtp/core'
import {
  type Fault,
  type FaultScript,
  type FaultServer,
  startFaultServer,
} from '@postmark-smtp/sandbox/faults'
import { installVirtualClock, type VirtualClock } from '@postmark-smtp/testing'

export const TOKEN = '6f1c2b1e-8a34-4d3a-9a60-2f7f6c1f0a11'
/** How often an email is tried. */
export const ATTEMPTS = 2
/** Longer than any limit of the transport. */
const BEYOND_LIMITS_MS = 150_000
/** Longer than the pauses between attempts, which are of some milliseconds here. */
const PAUSE_MS = 50

const RETRY = 'postmark-smtp:retry'

/** What a sender was told of one email. */
export interface Told {
  readonly outcome: 'sent' | ReturnType<typeof deliveryOutcome>
  readonly attempts: number | undefined
  readonly anchor: string | undefined
  readonly notRetried: string | undefined
  /** The whole error, in words. */
  readonly words: string
}

/**
 * A transport and a server that goes wrong, over real sockets and TLS. The time of the transport is the trial's: a limit
 * is over when the server stalls, and never because the machine is busy.
 */
export class FaultTrial {
  readonly server: FaultServer
  readonly #clock: VirtualClock
  readonly #transporter: PostmarkTransporter
  /** The connections whose stall was waited for. */
  readonly #outwaited = new Set<object>()
  #retries = 0
  #mailsTold = 0
  readonly #onRetry = () => {
    this.#retries += 1
  }

  private constructor(clock: VirtualClock, server: FaultServer) {
    this.#clock = clock
    this.server = server
    subscribe(RETRY, this.#onRetry)
    const { host, port, ca } = server
    this.#transporter = createPostmarkTransport({
      serverToken: TOKEN,
      host,
      ports: [port],
      tls: { ca },
      preflight: 'warn',
      retry: { attempts: ATTEMPTS, baseMs: 1, deadlineMs: 3_600_000 },
    })
  }

  /** Starts the server, and stops the time. */
  static async start(script: FaultScript): Promise<FaultTrial> {
    const server = await startFaultServer({ script })
    return new FaultTrial(installVirtualClock(Date.now()), server)
  }

  /** Sends an email, and waits for its outcome. */
  async send(subject: string, content: object = { text: 'Hello' }): Promise<Told> {
    let told: Told | undefined
    const isTold = () => told !== undefined
    const mail = { from: 'a@example.com', to: 'b@example.com', subject, ...content }
    this.#transporter.sendMail(mail).then(
      ({ postmark: { attempts } }) => {
        told = { outcome: 'sent', attempts, anchor: undefined, notRetried: undefined, words: '' }
      },
      (error: unknown) => {
        const { attempts, notRetried } = error as { attempts?: number; notRetried?: string }
        const words = inspect(error, { depth: 9, showHidden: true }) + JSON.stringify(error)
        const anchor = explainSmtpError(error)?.anchor
        told = { outcome: deliveryOutcome(error), attempts, anchor, notRetried, words }
      },
    )
    for (;;) {
      // The server and its sockets go by real time.
      await setTimeout(1)
      await this.#clock.settle()
      if (told) {
        this.#mailsTold += 1
        return told
      }
      await this.#pass(isTold)
    }
  }

  /** How many copies of an email the server took. */
  copies(subject: string): number {
    return this.server.accepted.filter(({ raw }) => raw.includes(`Subject: ${subject}\r\n`)).length
  }

  /** How many faults struck. */
  get struck(): number {
    return this.server.connections.flatMap(({ faults }) => faults).length
  }

  async [Symbol.asyncDispose](): Promise<void> {
    unsubscribe(RETRY, this.#onRetry)
    this.#clock.uninstall()
    await this.#transporter.close({ force: true })
    await this.server.close()
  }

  /** A stall after an email concerns the next one: the reply that the server gave before it may still be on its way. */
  #isWaitedFor({ kind, phase }: Fault): boolean {
    return kind === 'stall' && (phase !== 'after' || this.#mailsTold > 0)
  }

  /** Lets the time of a limit pass, once for each connection that the server stalls; else that of a pause. */
  async #pass(isTold: () => boolean): Promise<void> {
    const stalled = this.server.connections.find(
      (each) => each.faults.some((fault) => this.#isWaitedFor(fault)) && !this.#outwaited.has(each),
    )
    if (stalled) {
      const before = this.#retries
      // No further: the limits of another attempt begin then. Where the client still writes, its limit begins anew.
      const isOver = () => isTold() || this.#retries > before
      if (await this.#clock.advanceUntil(isOver, BEYOND_LIMITS_MS)) this.#outwaited.add(stalled)
      return
    }
    const dueMs = Math.min(...this.#clock.pending().map((timer) => timer.dueMs))
    if (dueMs <= this.#clock.nowMs + PAUSE_MS) await this.#clock.advance(dueMs - this.#clock.nowMs)
  }
}
