import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { loopbackCertificate } from '../certificate.js'
import { AIOSMTPD_SCRIPT } from './aiosmtpd-script.js'
import type { LoggedMail, RealServer, RealUser } from './real-server.js'
import { REAL_SERVER_BYTES, REFUSALS } from './real-server.js'
import { keepLog } from './server-log.js'

/** Debian's Python, which finds Debian's modules. */
const PYTHON = '/usr/bin/python3'
/** The server ends by itself after this time, even if the test process was killed and could not end it. */
const LONGEST_LIFE_S = 600

/** Options of {@link startAiosmtpd}. */
export interface AiosmtpdOptions {
  /** Who may log in, with PLAIN or LOGIN. */
  readonly users: readonly RealUser[]
  /** Whether STARTTLS is offered (default true). */
  readonly tls?: boolean
}

/** The reason why aiosmtpd cannot be started here; undefined if it can. */
export function aiosmtpdMissing(): string | undefined {
  const { status } = spawnSync(PYTHON, ['-c', 'import aiosmtpd'], { stdio: 'ignore' })
  return status === 0 ? undefined : 'aiosmtpd tests need a Debian package: apt-get install python3-aiosmtpd'
}

/**
 * Starts a real aiosmtpd, which does not offer PIPELINING and discards every email.
 * @example await using server = await startAiosmtpd({ users: [{ user: 'token', pass: 'token' }] })
 * @throws Error that names the Debian package if it is missing
 */
export async function startAiosmtpd({ users, tls = true }: AiosmtpdOptions): Promise<RealServer> {
  const missing = aiosmtpdMissing()
  if (missing !== undefined) throw new Error(missing)
  const { cert, key } = await loopbackCertificate()
  const folder = await mkdtemp(join(tmpdir(), 'aiosmtpd-'))
  const chain = join(folder, 'chain.pem')
  await writeFile(chain, key + cert, { mode: 0o600 })
  const plan = JSON.stringify({ users, tls, chain, refusals: REFUSALS, size: REAL_SERVER_BYTES })
  const server = spawn('timeout', [String(LONGEST_LIFE_S), PYTHON, '-c', AIOSMTPD_SCRIPT, plan], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const log = keepLog('aiosmtpd', server)
  let complaint = ''
  server.stderr.on('data', (chunk: Buffer) => {
    complaint += chunk
  })
  const ended = once(server, 'close')
  let closing: Promise<void> | undefined
  const close = () => {
    closing ??= (async () => {
      server.kill()
      await ended
      await rm(folder, { recursive: true })
    })()
    return closing
  }
  const lines = () =>
    log.text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Line)
  try {
    await log.waitFor(/"port": \d+/)
  } catch (error) {
    await close()
    throw new Error(`aiosmtpd did not start: ${complaint}`, { cause: error })
  }
  return {
    host: '127.0.0.1',
    port: lines()[0]?.port ?? 0,
    ca: cert,
    get log() {
      return log.text + complaint
    },
    waitForLog: log.waitFor,
    taken: () =>
      lines().flatMap(({ taken, sender = '', recipients = 0 }): LoggedMail[] =>
        taken === undefined ? [] : [{ from: sender, subject: taken, recipients }],
      ),
    waitForTaken: async (from) => {
      await log.waitFor(new RegExp(`"sender": "${from}"`))
    },
    connections: () => lines().filter(({ connection }) => connection).length,
    close,
    [Symbol.asyncDispose]: close,
  }
}

interface Line {
  readonly port?: number
  readonly connection?: true
  readonly taken?: string
  readonly sender?: string
  readonly recipients?: number
}
