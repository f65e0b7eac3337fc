import { type ConnectEvent, type Opening, publishConnect } from '../problems/diagnostics.js'
import type { Redactor } from '../problems/redact.js'
import type { Failure } from '../problems/smtp-failure.js'
import type { Capabilities } from './capabilities.js'
import type { Channel } from './channel.js'
import type { Login } from './credentials.js'
import type { HandshakeState } from './handshake.js'
import { Handshake } from './handshake.js'
import type { AuthMethod } from './login.js'
import type { Greeted, Opener } from './opener.js'
import { createSmtpLog } from './smtp-log.js'
import { prepareTls, type TlsContext } from './start-tls.js'
import type { TimeLimits } from './time-limits.js'

/** What the sessions of a route share. */
export interface SessionPlan {
  readonly host: string
  readonly opener: Opener
  /** Undefined for a loopback host to which plaintext is allowed. */
  readonly tls: TlsContext | undefined
  readonly authMethod: AuthMethod | undefined
  readonly login: () => Login | Promise<Login>
  /** Whether a second call of `login` may return another login. */
  readonly rotates: boolean
  readonly limits: TimeLimits
  readonly logger: object | boolean
  readonly redactor: Redactor
}

/** A session that is logged in. */
export interface Opened {
  readonly channel: Channel
  readonly capabilities: Capabilities
  readonly port: number | undefined
  readonly opening?: Opening
}

/** A session that is being opened. */
export interface OpeningSession {
  /** Where it is. */
  readonly state: 'connecting' | HandshakeState
  /** Aborts it without calling back. */
  cancel(): void
}

/**
 * Opens a session: a greeted channel, TLS, login. If TLS is not possible on a port, the next one is tried. If a login
 * is refused and may have been rotated, it is requested once more. Neither counts as an attempt of an email.
 * @param inUse how emails share writes on the session, for its event
 */
export function openSession(
  plan: SessionPlan,
  done: (result: { readonly opened: Opened } | { readonly failure: Failure }) => void,
  inUse: (opened: Opened) => ConnectEvent['inUse'] = () => undefined,
): OpeningSession {
  const { opener, limits, host, redactor } = plan
  const log = createSmtpLog(plan.logger, redactor)
  let cancelled = false
  let giveUp: () => void = () => {}
  let handshake: Handshake | undefined
  let askedAgain = false
  /** Ports on which TLS was not possible. If one of them wins again, the others have had their chance. */
  const withoutTls = new Set<number>()

  const login = async (): Promise<Login> => {
    const found = await plan.login()
    redactor.add(found.user)
    redactor.add(found.pass)
    return found
  }
  const onGreeted = async ({ channel, port }: Greeted, connectMs: number) => {
    const greetedAt = performance.now()
    handshake = new Handshake(channel, {
      host,
      port,
      tls: plan.tls,
      authMethod: plan.authMethod,
      login,
      limitMs: limits.replyMs,
    })
    const result = await handshake.run()
    handshake = undefined
    if (cancelled) {
      channel.destroy()
      return
    }
    const publish = (ehlo: Pick<ConnectEvent, 'offers' | 'inUse'>) => {
      if (port !== undefined) publishConnect({ host, port, durationMs: connectMs, ...ehlo })
    }
    if ('capabilities' in result) {
      const { capabilities } = result
      const loginMs = performance.now() - greetedAt
      const opening = { startedAt: Date.now() - loginMs - connectMs, connectMs, loginMs }
      const opened = { channel, capabilities, port, opening }
      publish({ offers: [...capabilities.keywords.keys()], inUse: inUse(opened) })
      done({ opened })
      return
    }
    publish({ offers: [], inUse: undefined })
    const { failure, ofPort } = result
    if (ofPort && port !== undefined) {
      opener.bury(port)
      if (opener.hasLivePort && !withoutTls.has(port)) {
        withoutTls.add(port)
        start()
        return
      }
    }
    const { code, responseCode = 0 } = failure.error
    if (code === 'EAUTH' && responseCode >= 500 && plan.rotates && !askedAgain) {
      askedAgain = true
      start()
      return
    }
    done({ failure })
  }
  const start = () => {
    if (cancelled) return
    const startedAt = performance.now()
    giveUp = opener.open(limits.raceMs, log, (failure, greeted) => {
      giveUp = () => {}
      if (!greeted) done({ failure: failure! })
      else void onGreeted(greeted, performance.now() - startedAt)
    })
    if (plan.tls) prepareTls(plan.tls)
  }
  // A getSocket may fail synchronously, and the caller needs the opening before it ends.
  process.nextTick(start)
  return {
    get state() {
      return handshake?.state ?? 'connecting'
    },
    cancel: () => {
      cancelled = true
      giveUp()
      handshake?.abort()
    },
  }
}
