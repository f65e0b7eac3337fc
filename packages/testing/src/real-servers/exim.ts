import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { chmod, chown, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { loopbackCertificate } from '../certificate.js'
import { unpackDebian } from './debian-package.js'
import { eximFiles } from './exim-files.js'
import { startOnFreePort } from './free-port.js'
import type { LoggedMail, RealServer, RealUser } from './real-server.js'
import { keepLog } from './server-log.js'

const PACKAGE = 'exim4-daemon-light'
/** The server ends by itself after this time, even if the test process was killed and could not end it. */
const LONGEST_LIFE_S = 600
/** Exim drops the privileges of root and refuses to keep them: it becomes `nobody`. */
const NOBODY = 65_534

/** Options of {@link startExim}. */
export interface EximOptions {
  /** Who may log in. */
  readonly users: readonly RealUser[]
  /** Whether STARTTLS is offered (default true). */
  readonly tls?: boolean
  /** The mechanisms that EHLO lists (default PLAIN, LOGIN, CRAM-MD5). */
  readonly mechanisms?: readonly ('PLAIN' | 'LOGIN' | 'CRAM-MD5')[]
  /** The number of refused envelopes on a connection after which Exim hangs up at the next RSET (default 10, as installed). */
  readonly hangsUpAfter?: number
}

let unpacked: Promise<string> | undefined

/** The unpacked package with its missing libraries, because Exim and Postfix cannot both be installed. */
function unpackExim(): Promise<string> {
  unpacked ??= unpackDebian(PACKAGE, ['libnss-wrapper'])
  return unpacked
}

/** The reason why Exim cannot be started here; undefined if it can. The first call may download it. */
export async function eximMissing(): Promise<string | undefined> {
  return unpackExim().then(
    () => undefined,
    (error: Error) =>
      `Exim tests unpack a Debian package, and apt-get download ${PACKAGE} libnss-wrapper failed: ${error.message}`,
  )
}

/**
 * Starts a real Exim on a free port, from its own folder. It keeps every email in its spool.
 * @example
 * await using exim = await startExim({ users: [{ user: 'token', pass: 'token' }] })
 * exim.taken()
 * @throws Error if the Debian package is not available
 */
export async function startExim(options: EximOptions): Promise<RealServer> {
  const missing = await eximMissing()
  if (missing !== undefined) throw new Error(missing)
  return startOnFreePort((port) => startAt(port, options))
}

async function startAt(port: number, options: EximOptions): Promise<RealServer> {
  const { users, tls = true, mechanisms = ['PLAIN', 'LOGIN', 'CRAM-MD5'], hangsUpAfter = 10 } = options
  const root = await unpackExim()
  const { cert, key } = await loopbackCertificate()
  const folder = await mkdtemp(join(tmpdir(), 'exim-'))
  const isRoot = process.geteuid?.() === 0
  const uid = isRoot ? NOBODY : (process.geteuid?.() ?? NOBODY)
  await chmod(folder, 0o755)
  const files = {
    ...eximFiles({ folder, port, tls, mechanisms, users, uid, hangsUpAfter }),
    'chain.pem': key + cert,
    'log/mainlog': '',
  }
  for (const name of ['spool', 'log']) await mkdir(join(folder, name))
  for (const [name, content] of Object.entries(files)) await writeFile(join(folder, name), content)
  if (isRoot)
    for (const name of ['spool', 'log', 'log/mainlog', 'chain.pem']) await chown(join(folder, name), uid, uid)

  const libraries = findLibraries(root)
  const env = {
    LD_LIBRARY_PATH: libraries,
    LD_PRELOAD: 'libnss_wrapper.so',
    NSS_WRAPPER_PASSWD: join(folder, 'passwd'),
    NSS_WRAPPER_GROUP: join(folder, 'group'),
  }
  const daemon = [join(root, 'usr/sbin/exim4'), '-C', join(folder, 'exim.conf'), '-bdf']
  // Its own process group, so that everything it starts ends with it.
  const server = spawn('timeout', [String(LONGEST_LIFE_S), ...daemon], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
    detached: true,
  })
  const tail = spawn('tail', ['-n', '+1', '-F', join(folder, 'log/mainlog')], {
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  const log = keepLog('Exim', tail)
  let complaint = ''
  server.stderr.on('data', (chunk: Buffer) => {
    complaint += chunk
  })
  const ended = once(server, 'close').then(() => tail.kill())
  const tailEnded = once(tail, 'close')
  let closing: Promise<void> | undefined
  const close = () => {
    closing ??= (async () => {
      if (server.exitCode === null && server.pid !== undefined) process.kill(-server.pid, 'SIGTERM')
      await ended
      await tailEnded
      await rm(folder, { recursive: true })
    })()
    return closing
  }
  try {
    await log.waitFor(/daemon started/)
  } catch (error) {
    await close()
    throw new Error(`Exim did not start: ${complaint}`, { cause: error })
  }
  return {
    host: '127.0.0.1',
    port,
    ca: cert,
    get log() {
      return log.text
    },
    waitForLog: log.waitFor,
    taken: () => readTaken(log.text),
    waitForTaken: async (from) => {
      await log.waitFor(new RegExp(` <= ${from} `))
    },
    connections: () => log.text.match(/ SMTP connection from \[/g)?.length ?? 0,
    close,
    [Symbol.asyncDispose]: close,
  }
}

/** The folder of the libraries, which is named after the processor. */
function findLibraries(root: string): string {
  const libraries = join(root, 'usr/lib')
  return readdirSync(libraries)
    .filter((name) => name.endsWith('-linux-gnu'))
    .map((name) => join(libraries, name))
    .join(':')
}

function readTaken(log: string): LoggedMail[] {
  return [...log.matchAll(/ <= (\S+) .* T="(.*?)"(?: from .*?)? for (.*)$/gm)].map(
    ([, from = '', subject = '', recipients = '']) => ({
      from,
      subject,
      recipients: recipients.split(' ').length,
    }),
  )
}
