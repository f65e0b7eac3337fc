import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const SERVER = '/usr/bin/redis-server'

/** Options of {@link startRedis}. */
export interface RedisOptions {
  /** Whether Redis writes each command to a file before it answers, so that a restart loses nothing (default false). */
  readonly appendOnly?: boolean
}

/** A running Redis. */
export interface Redis extends AsyncDisposable {
  /** For `createClient({ socket: { path } })`. */
  readonly path: string
  /** Kills Redis, as a crash would, and starts it again. Without `appendOnly`, its data is lost. */
  restart(): Promise<void>
  /** Stops the server and removes its files. */
  close(): Promise<void>
}

/** The reason why Redis cannot be started here; undefined if it can. */
export function redisMissing(): string | undefined {
  return existsSync(SERVER) ? undefined : 'Redis tests need a Debian package: apt-get install redis-server'
}

/**
 * Starts a real Redis on a socket in its own folder. It runs until it is closed or until the process that started it
 * ends, however that ends.
 * @example await using redis = await startRedis()
 * @throws Error that names the Debian package if it is missing
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

/** Resolves when Redis is ready, to a function that kills it. */
async function startServer(options: readonly string[]): Promise<() => Promise<unknown>> {
  // The kernel kills it with its parent, even if the parent was killed and could not end it.
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
