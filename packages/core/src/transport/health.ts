import { optionError, refuseUnknown } from '../problems/check-options.js'
import { isRecord } from '../problems/describe.js'
import { PostmarkError } from '../problems/error.js'
import { explainSmtpError } from '../problems/explain-smtp-error.js'
import { LONGEST_TIMER_MS } from '../problems/longest-timer.js'

/** The part of a Nodemailer transporter that a health check needs. */
export interface VerifiableTransporter {
  verify(): Promise<unknown>
}

/** Options of {@link postmarkHealth}; times are in milliseconds. */
export interface PostmarkHealthOptions {
  /** How long a successful login counts. Default 60 000. */
  readonly cacheMs?: number
  /** How long a failed login counts. Default 5000, or `cacheMs` if that is shorter. */
  readonly failureCacheMs?: number
  /** How long a probe waits before it gets a failed result. Default 10 000. */
  readonly timeoutMs?: number
  /** A monotonic clock, in milliseconds. Default `performance.now`; for tests. */
  readonly now?: () => number
}

/** A result that is safe to show to anyone: no token, no host, no text from the server. */
export interface HealthReport {
  /** Whether the last login succeeded. */
  readonly ok: boolean
  /** When that login ended or was given up. @example '2026-01-31T12:00:00.000Z' */
  readonly checkedAt: string
  /** How long it took, in milliseconds. */
  readonly durationMs: number
  /** The error code, if it failed. @example 'EAUTH' */
  readonly code?: string
  /** The most likely cause: an anchor in docs/errors.md. @example 'login-refused' */
  readonly reason?: string
}

const OPTIONS = ['cacheMs', 'failureCacheMs', 'timeoutMs', 'now'] as const

interface Result {
  readonly health: HealthReport
  readonly until: number
}

/**
 * Creates a health check that a probe may call as often as it likes. It logs in without sending anything, at most once
 * per interval and never twice at the same time. Probes within the interval get the last result; probes during a login
 * wait for its result. If a login hangs, it is reported as a failure, and no other login starts until it has ended.
 *
 * The check shows that Postmark can be reached and accepts the credentials. It does not show that an email would be
 * accepted.
 * @example const health = postmarkHealth(transporter)
 * app.get('/health', async (_req, res) => { const result = await health(); res.status(result.ok ? 200 : 503).json(result) })
 * @returns a function whose promise never rejects
 * @throws PostmarkError ERR_POSTMARK_OPTIONS, ERR_POSTMARK_TRANSPORT
 */
export function postmarkHealth(
  transporter: VerifiableTransporter,
  options: PostmarkHealthOptions = {},
): () => Promise<HealthReport> {
  if (typeof (transporter as VerifiableTransporter | undefined)?.verify !== 'function') {
    const hint = 'Pass it a created transporter: postmarkHealth(createPostmarkTransport(options)).'
    throw new PostmarkError(
      'ERR_POSTMARK_TRANSPORT',
      `postmarkHealth needs a transporter, but was given a value without \`verify\`. ${hint}`,
      { hint },
    )
  }
  const { cacheMs, failureCacheMs, timeoutMs, now } = toSettings(options)
  let last: Result | undefined
  let checking: Promise<HealthReport> | undefined

  const keep = (health: HealthReport): HealthReport => {
    last = { health, until: now() + (health.ok ? cacheMs : failureCacheMs) }
    return health
  }
  const check = (): Promise<HealthReport> => {
    const started = now()
    const toHealth = (ok: boolean, error?: unknown): HealthReport => ({
      ok,
      checkedAt: new Date().toISOString(),
      durationMs: Math.round(now() - started),
      ...(ok ? {} : describeFailure(error)),
    })
    const verified = verify(transporter).then(
      () => keep(toHealth(true)),
      (error: unknown) => keep(toHealth(false, error)),
    )
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve(keep(toHealth(false, { code: 'ETIMEDOUT' }))), timeoutMs)
      void verified.then((health) => {
        clearTimeout(timer)
        checking = undefined
        resolve(health)
      })
    })
  }

  return async () => {
    if (last && now() < last.until) return last.health
    checking ??= check()
    return checking
  }
}

/** Turns what `verify` throws synchronously into a rejection. */
async function verify(transporter: VerifiableTransporter): Promise<void> {
  await transporter.verify()
}

/** The text of an error may quote the login. Only its code, if it is a plain word, and our own anchor are exposed. */
function describeFailure(error: unknown): Pick<HealthReport, 'code' | 'reason'> {
  const code = isRecord(error) ? error.code : undefined
  const reason = explainSmtpError(error)?.anchor
  return {
    code: typeof code === 'string' && /^[A-Z][A-Z_]*$/.test(code) ? code : 'EUNKNOWN',
    ...(reason === undefined ? {} : { reason }),
  }
}

function toSettings(options: PostmarkHealthOptions): Required<PostmarkHealthOptions> {
  refuseUnknown(options, OPTIONS)
  const { cacheMs = 60_000, timeoutMs = 10_000, now = () => performance.now() } = options
  const { failureCacheMs = Math.min(5000, cacheMs) } = options
  for (const [name, value] of Object.entries({ cacheMs, failureCacheMs, timeoutMs })) {
    const fits = typeof value === 'number' && value >= 0 && value <= LONGEST_TIMER_MS
    if (!fits) throw optionError(name, value, `milliseconds, from 0 to ${LONGEST_TIMER_MS}`)
  }
  return { cacheMs, failureCacheMs, timeoutMs, now }
}
