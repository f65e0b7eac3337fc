import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const SERVER = '/usr/bin/redis-server'
/** It ends by itself then, even if the test process was killed and could not end it. */
const LONGEST_LIFE_S = 600

/** A running Redis that keeps everything in memory. */
export interface Redis extends AsyncDisposable {
  /** For `createClient({ socket: { path } })`. */
  readonly path: string
  /** Ends it and removes its files. */
  close(): Promise<void>
}

/** Why no Redis can be started here; undefined where it can. */
export function redisMissing(): string | undefined {
  return existsSync(SERVER) ? undefined : 'Redis tests need a Debian package: apt-get install redis-server'
}

/**
 * Starts a real Redis on a socket in a folder of its own.
 * @example await using redis = await startRedis()
 * @throws Error that names the Debian package where it is missing
 */
export async function startRedis(): Promise<Redis> {
  const missing = redisMissing()
  if (missing !== undefined) throw new Error(missing)
  const folder = await mkdtemp(join(tmpdir(), 'redis-'))
  const path = join(folder, 'socket')
  const options = ['--port', '0', '--unixsocket', path, '--dir', folder, '--save', '', '--appendonly', 'no']
  const server = spawn('timeout', [String(LONGEST_LIFE_S), SERVER, ...options], {
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  const ended = once(server, 'close')
  const close = async () => {
    server.kill()
    await ended
    await rm(folder, { recursive: true, force: true })
  }
  let log = ''
  const ready = new Promise<boolean>((resolve) => {
    server.stdout.on('data', (chunk: Buffer) => {
      log += chunk
      if (/ready to accept connections/i.test(log)) resolve(true)
    })
  })
  if (await Promise.race([ready, ended.then(() => false)]))
    return { path, close, [Symbol.asyncDispose]: close }
  await close()
  throw new Error(`Redis ended before it was ready:\n${log}`)
}
