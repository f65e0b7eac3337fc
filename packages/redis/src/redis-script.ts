import { createHash } from 'node:crypto'
import type { SendCommand } from './redis-client.js'

/** A script that Redis runs as one step: nobody else sees what is between. */
export class RedisScript {
  readonly #source: string
  readonly #sha: string

  constructor(source: string) {
    this.#source = source
    this.#sha = createHash('sha1').update(source).digest('hex')
  }

  /** Runs it by its hash, and with its source where Redis does not have it, after a restart for instance. */
  async run(send: SendCommand, keys: readonly string[], args: readonly string[]): Promise<unknown> {
    const rest = [String(keys.length), ...keys, ...args]
    try {
      return await send('EVALSHA', this.#sha, ...rest)
    } catch (error) {
      // The clients have different classes of errors; the text is Redis's own.
      if (!String((error as { message?: unknown } | null)?.message).startsWith('NOSCRIPT')) throw error
      return await send('EVAL', this.#source, ...rest)
    }
  }
}
