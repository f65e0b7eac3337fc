import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { loopbackCertificate } from '../certificate.js'
import { startOnFreePort } from './free-port.js'
import { writeHarakaFiles } from './haraka-files.js'
import { installHaraka, isHarakaInstalled } from './install-haraka.js'
import type { LoggedMail, RealServer, RealUser } from './real-server.js'
import { keepLog } from './server-log.js'

/** The server ends by itself after this time, even if the test process was killed and could not end it. */
const LONGEST_LIFE_S = 600

/** Options of {@link startHaraka}. */
export interface HarakaOptions {
  /** Who may log in, with PLAIN, LOGIN or CRAM-MD5. */
  readonly users: readonly RealUser[]
}

/**
 * The reason why Haraka cannot be started here; undefined if it can. It is installed from npm, which takes a minute, by
 * `npm run soak` or if real parts are required, but not by `npm test`.
 */
export async function harakaMissing(): Promise<string | undefined> {
  if (isHarakaInstalled()) return undefined
  const { POSTMARK_SMTP_SOAK, REQUIRE_REAL_PARTS } = process.env
  if (POSTMARK_SMTP_SOAK === undefined && REQUIRE_REAL_PARTS !== '1')
    return 'Haraka tests need Haraka, which npm run soak installs'
  return installHaraka().then(
    () => undefined,
    (error: Error) => `Haraka tests need Haraka, and npm cannot install it: ${error.message}`,
  )
}

/**
 * Starts a real Haraka, which discards every email. It announces PIPELINING, but refuses commands that arrive in one write
 * with the end of a body.
 * @example await using server = await startHaraka({ users: [{ user: 'token', pass: 'token' }] })
 * @throws Error if npm cannot install it
 */
export function startHaraka(options: HarakaOptions): Promise<RealServer> {
  return startOnFreePort((port) => startAt(port, options))
}

async function startAt(port: number, { users }: HarakaOptions): Promise<RealServer> {
  const { node, script } = await installHaraka()
  const { cert, key } = await loopbackCertificate()
  const folder = await mkdtemp(join(tmpdir(), 'haraka-'))
  await writeHarakaFiles({ folder, port, cert, key, users })
  const server = spawn('timeout', [String(LONGEST_LIFE_S), node, script, '-c', folder], {
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  const log = keepLog('Haraka', server)
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
      .split('\n')
      .filter((line) => /^\{.*\}$/.test(line))
      .map((line) => JSON.parse(line) as Line)
  try {
    await log.waitFor(/\{"ready":true\}/)
  } catch (error) {
    await close()
    throw error
  }
  return {
    host: '127.0.0.1',
    port,
    ca: cert,
    get log() {
      return log.text
    },
    waitForLog: log.waitFor,
    taken: () =>
      lines().flatMap(({ taken, sender = '', recipients = 0 }): LoggedMail[] =>
        taken === undefined ? [] : [{ from: sender, subject: taken, recipients }],
      ),
    waitForTaken: async (from) => {
      await log.waitFor(new RegExp(`"sender":"${from}"`))
    },
    connections: () => lines().filter(({ connection }) => connection).length,
    close,
    [Symbol.asyncDispose]: close,
  }
}

interface Line {
  readonly connection?: true
  readonly taken?: string
  readonly sender?: string
  readonly recipients?: number
}
