import { createHash } from 'node:crypto'
import type { SendCommand } from './redis-client.js'

/** A script that Redis runs atomically. */
export class RedisScript {
  readonly #source: string
  readonly #sha: string

  constructor(source: string) {
    this.#source = source
    this.#sha = createHash('sha1').update(source).digest('hex')
  }

  /** Runs the script by its hash, or by its source if Redis does not have it, for example after a restart. */
  async run(send: SendCommand, keys: readonly string[], args: readonly string[]): Promise<unknown> {
    const rest = [String(keys.length), ...keys, ...args]
    try {
      return await send('EVALSHA', this.#sha, ...rest)
    } catch (error) {
      // The clients have different error classes, but the message is from Redis.
      if (!String((error as { message?: unknown } | null)?.message).startsWith('NOSCRIPT')) throw error
      return await send('EVAL', this.#source, ...rest)
    }
  }
}
