import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync } from 'node:fs'
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { loopbackCertificate } from '../certificate.js'
import { startOnFreePort } from './free-port.js'
import { POSTFIX_REALM, postfixFiles } from './postfix-files.js'
import type { LoggedMail, RealServer, RealUser } from './real-server.js'
import { keepLog } from './server-log.js'

const MASTER = '/usr/lib/postfix/sbin/master'
/** The server ends by itself after this time, even if the test process was killed and could not end it. */
const LONGEST_LIFE_S = 600
/** `post-install` creates the queue's folders. The log goes through a pipe, because Postfix cannot open Node's sockets. */
const COMMAND = `{
  chown postfix "$0/data" && postfix -c "$0" post-install create-missing && exec ${MASTER} -c "$0" -s -e ${LONGEST_LIFE_S}
} 2>&1 | cat`
const PACKAGES = 'postfix libsasl2-modules sasl2-bin'

/** Options of {@link startPostfix}. */
export interface PostfixOptions {
  /** Who may log in. */
  readonly users: readonly RealUser[]
  /** Whether STARTTLS is offered (default true). */
  readonly tls?: boolean
  /** The mechanisms that EHLO lists (default PLAIN, LOGIN, CRAM-MD5, DIGEST-MD5). */
  readonly mechanisms?: readonly string[]
  /** The number of refused commands between two emails after which it hangs up (default 1,000; Postfix's own is 20). */
  readonly hardErrorLimit?: number
}

/** A running Postfix with Cyrus SASL, which discards every email. */
export type Postfix = RealServer

/**
 * The reason why Postfix cannot be started here; undefined if it can.
 * @example 'Postfix tests need Debian packages: apt-get install postfix libsasl2-modules sasl2-bin'
 */
export function postfixMissing(): string | undefined {
  const plugins = readdirSync('/usr/lib').map((triple) => `/usr/lib/${triple}/sasl2/libdigestmd5.so`)
  const there =
    [MASTER, '/usr/sbin/saslpasswd2'].every((path) => existsSync(path)) && plugins.some(existsSync)
  if (!there) return `Postfix tests need Debian packages: apt-get install ${PACKAGES}`
  return process.geteuid?.() === 0 ? undefined : 'Postfix tests need root: its daemons run as different users'
}

/**
 * Starts a real Postfix with Cyrus SASL on a free port, from its own folder.
 * @example
 * await using postfix = await startPostfix({ users: [{ user: 'token', pass: 'token' }], tls: false })
 * await postfix.waitForLog(/sasl_method=DIGEST-MD5/)
 * @throws Error that names the Debian packages if they are missing
 */
export async function startPostfix(options: PostfixOptions): Promise<Postfix> {
  const missing = postfixMissing()
  if (missing !== undefined) throw new Error(missing)
  return startOnFreePort((port) => startAt(port, options))
}

async function startAt(port: number, options: PostfixOptions): Promise<Postfix> {
  const { users, tls = true, hardErrorLimit = 1000 } = options
  const { mechanisms = ['PLAIN', 'LOGIN', 'CRAM-MD5', 'DIGEST-MD5'] } = options
  const { cert, key } = await loopbackCertificate()
  const folder = await mkdtemp(join(tmpdir(), 'postfix-'))
  // Its daemons run as the user postfix, and must be able to enter this folder.
  await chmod(folder, 0o755)
  for (const name of ['queue', 'data', 'sasl']) await mkdir(join(folder, name))
  await writeFile(join(folder, 'chain.pem'), key + cert, { mode: 0o600 })
  for (const [name, content] of Object.entries(
    postfixFiles({ folder, port, tls, mechanisms, hardErrorLimit }),
  ))
    await writeFile(join(folder, name), content)
  const passwords = join(folder, 'sasldb2')
  for (const { user, pass } of users) await addUser(passwords, user, pass)
  await chmod(passwords, 0o644)

  const shell = spawn('sh', ['-c', COMMAND, folder], { stdio: ['ignore', 'pipe', 'ignore'] })
  const log = keepLog('Postfix', shell)
  let closing: Promise<void> | undefined
  const close = () => {
    closing ??= stop(shell, folder).then(() => rm(folder, { recursive: true }))
    return closing
  }
  try {
    await log.waitFor(/daemon started/)
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
    taken: () => readTaken(log.text),
    waitForTaken: async (from) => {
      await log.waitFor(new RegExp(`from=<${from}>, size=.*queue active`))
    },
    connections: () => log.text.match(/smtpd\[\d+\]: connect from /g)?.length ?? 0,
    close,
    [Symbol.asyncDispose]: close,
  }
}

/** The emails that entered the queue. An email that is refused at its end also has a queue ID and a subject, but never enters. */
function readTaken(log: string): LoggedMail[] {
  const subjects = new Map(
    [...log.matchAll(/ (\w+): info: header Subject: (.*?) from /g)].map(([, id, subject]) => [id, subject]),
  )
  const queued = new Map(
    [...log.matchAll(/qmgr\[\d+\]: (\w+): from=<(.*?)>, size=\d+, nrcpt=(\d+)/g)].map(
      ([, id, from = '', count]) => [
        id,
        { from, subject: subjects.get(id) ?? '', recipients: Number(count) },
      ],
    ),
  )
  return [...queued.values()]
}

async function addUser(file: string, user: string, pass: string): Promise<void> {
  const adding = promisify(execFile)('saslpasswd2', ['-p', '-c', '-f', file, '-u', POSTFIX_REALM, user])
  adding.child.stdin?.end(pass)
  await adding
}

/** The daemons have their own session, and keep the pipe of the log open until the last one has ended. */
async function stop(shell: ChildProcess, folder: string): Promise<void> {
  if (shell.exitCode !== null) return
  const closed = once(shell, 'close')
  const pid = await readFile(join(folder, 'queue/pid/master.pid'), 'utf8').catch(() => '')
  if (pid !== '') process.kill(-Number(pid), 'SIGTERM')
  await closed
}
