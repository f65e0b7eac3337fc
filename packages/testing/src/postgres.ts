import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chownSync, existsSync, readdirSync, readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

/** Where Debian keeps a folder for each major version. */
const VERSIONS = '/usr/lib/postgresql'
const USER = 'postgres'

/** A running Postgres. */
export interface Postgres extends AsyncDisposable {
  /** For `new Pool({ connectionString })`: a socket in the server's folder, without a password. */
  readonly connectionString: string
  /** Stops the server and removes its files. */
  close(): Promise<void>
}

/** The reason why Postgres cannot be started here; undefined if it can. */
export function postgresMissing(): string | undefined {
  return findPrograms() ? undefined : 'Postgres tests need a Debian package: apt-get install postgresql'
}

/**
 * Starts a real Postgres with its own cluster in the temporary folder; clusters of the machine are not used. It runs
 * until it is closed or until the process that started it ends, however that ends.
 * @example await using postgres = await startPostgres()
 * @throws Error that names the Debian package if it is missing
 */
export async function startPostgres(): Promise<Postgres> {
  const programs = findPrograms()
  if (programs === undefined) throw new Error(postgresMissing())
  const folder = await mkdtemp(join(tmpdir(), 'postgres-'))
  const data = join(folder, 'data')
  let server: ChildProcess | undefined
  const close = async () => {
    if (server && server.exitCode === null && server.signalCode === null) {
      const ended = once(server, 'close')
      // Immediately, without a checkpoint, because its files are removed.
      server.kill('SIGQUIT')
      await ended
    }
    await rm(folder, { recursive: true, force: true })
  }
  try {
    const asUser = ownFolder(folder)
    const cluster = [
      '--pgdata',
      data,
      '--username',
      USER,
      '--auth',
      'trust',
      '--encoding',
      'UTF8',
      '--no-sync',
    ]
    await promisify(execFile)('setpriv', [...asUser, join(programs, 'initdb'), ...cluster, '--locale', 'C'], {
      cwd: folder,
    })
    // The kernel kills it with its parent, with the signal that also ends its own children.
    const options = ['--pdeathsig', 'QUIT', join(programs, 'postgres'), '-D', data, '-k', folder]
    const settings = ['-c', 'listen_addresses=', '-c', 'fsync=off']
    server = spawn('setpriv', [...asUser, ...options, ...settings], {
      cwd: folder,
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    await untilReady(server)
  } catch (error) {
    await close()
    throw error
  }
  const connectionString = `postgresql:///${USER}?host=${encodeURIComponent(folder)}&user=${USER}`
  return { connectionString, close, [Symbol.asyncDispose]: close }
}

function findPrograms(): string | undefined {
  if (!existsSync(VERSIONS)) return undefined
  const versions = readdirSync(VERSIONS).sort((a, b) => Number(b) - Number(a))
  return versions
    .map((version) => join(VERSIONS, version, 'bin'))
    .find((bin) => existsSync(join(bin, 'initdb')))
}

/** Postgres does not run as root. If the process is root, the folder is given to the user of its package. */
function ownFolder(folder: string): readonly string[] {
  if (process.getuid?.() !== 0) return []
  const [, uid, gid] = new RegExp(`^${USER}:[^:]*:(\\d+):(\\d+):`, 'm').exec(
    readFileSync('/etc/passwd', 'utf8'),
  )!
  chownSync(folder, Number(uid), Number(gid))
  return ['--reuid', USER, '--regid', USER, '--clear-groups']
}

async function untilReady(server: ChildProcess): Promise<void> {
  let log = ''
  const ready = new Promise<boolean>((resolve) => {
    server.stderr!.on('data', (chunk: Buffer) => {
      log += chunk
      if (log.includes('ready to accept connections')) resolve(true)
    })
  })
  if (await Promise.race([ready, once(server, 'close').then(() => false)])) return
  throw new Error(`Postgres ended before it was ready:\n${log}`)
}
