import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const SERVER = '/usr/bin/redis-server'

/** How {@link startRedis} starts one. */
export interface RedisOptions {
  /** Whether it writes each command to a file before it answers, so that it has everything after a restart (default false). */
  readonly appendOnly?: boolean
}

/** A running Redis. */
export interface Redis extends AsyncDisposable {
  /** For `createClient({ socket: { path } })`. */
  readonly path: string
  /** Kills it, as a crash would, and starts it again: without `appendOnly` it has forgotten everything. */
  restart(): Promise<void>
  /** Ends it and removes its files. */
  close(): Promise<void>
}

/** Why no Redis can be started here; undefined where it can. */
export function redisMissing(): string | undefined {
  return existsSync(SERVER) ? undefined : 'Redis tests need a Debian package: apt-get install redis-server'
}

/**
 * Starts a real Redis on a socket in a folder of its own. It lives until it is closed, or until the process that started
 * it ends, however that ends.
 * @example await using redis = await startRedis()
 * @throws Error that names the Debian package where it is missing
 */
export async function startRedis({ appendOnly = false }: RedisOptions = {}): Promise<Redis> {
  const missing = redisMissing()
  if (missing !== undefined) throw new Error(missing)
  const folder = await mkdtemp(join(tmpdir(), 'redis-'))
  const path = join(folder, 'socket')
  const kept = appendOnly ? ['yes', '--appendfsync', 'always'] : ['no']
  const options = [
    '--port',
    '0',
    '--unixsocket',
    path,
    '--dir',
    folder,
    '--save',
    '',
    '--appendonly',
    ...kept,
  ]
  const remove = () => rm(folder, { recursive: true, force: true })
  let stop: () => Promise<unknown>
  const start = async () => {
    stop = await startServer(options)
  }
  try {
    await start()
  } catch (error) {
    await remove()
    throw error
  }
  const close = async () => {
    await stop()
    await remove()
  }
  return {
    path,
    close,
    restart: async () => {
      await stop()
      await start()
    },
    [Symbol.asyncDispose]: close,
  }
}

/** Resolves once it is ready, to what kills it. */
async function startServer(options: readonly string[]): Promise<() => Promise<unknown>> {
  // The kernel kills it with its parent, even if that was killed and could not end it.
  const server = spawn('setpriv', ['--pdeathsig', 'KILL', SERVER, ...options], {
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  const ended = once(server, 'close')
  const stop = () => {
    server.kill('SIGKILL')
    return ended
  }
  let log = ''
  const ready = new Promise<boolean>((resolve) => {
    server.stdout.on('data', (chunk: Buffer) => {
      log += chunk
      if (/ready to accept connections/i.test(log)) resolve(true)
    })
  })
  if (await Promise.race([ready, ended.then(() => false)])) return stop
  await stop()
  throw new Error(`Redis ended before it was ready:\n${log}`)
}
