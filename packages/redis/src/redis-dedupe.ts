import { type RedisClient, type RedisStoreOptions, toKeyPrefix, toSendCommand } from './redis-client.js'
import { RedisScript } from './redis-script.js'

/** A store of handled events that processes share, for the option `dedupe` of `@postmark-smtp/webhooks`. */
export interface RedisDedupe {
  /** Claims a key. `new`: the caller has it for `leaseMs`. `busy`: another process has it. `done`: its event was handled. */
  claim(key: string, leaseMs: number): Promise<'new' | 'busy' | 'done'>
  /** Records that the event of a key was handled, and remembers it for `ttlMs`. */
  confirm(key: string, ttlMs: number): Promise<void>
  /** Releases a key whose event was not handled. */
  release(key: string): Promise<void>
}

// SET with both NX and GET would be enough, but needs Redis 7.
const CLAIM = new RedisScript(`
local state = redis.call('GET', KEYS[1])
if state then return state end
redis.call('SET', KEYS[1], 'busy', 'PX', ARGV[1])
return 'new'
`)

/** An event that another process has handled in the meantime stays handled. */
const RELEASE = new RedisScript(`
if redis.call('GET', KEYS[1]) == 'busy' then redis.call('DEL', KEYS[1]) end
return 1
`)

/**
 * Remembers on Redis which webhook events were handled, so that only one of all processes handles each event.
 * @example createWebhookHandler({ auth, on, dedupe: createRedisDedupe(redis) })
 * @throws PostmarkError ERR_POSTMARK_OPTIONS
 */
export function createRedisDedupe(client: RedisClient, options?: RedisStoreOptions): RedisDedupe {
  const send = toSendCommand(client)
  const prefix = `${toKeyPrefix(options)}event:`
  return {
    async claim(key, leaseMs) {
      const state = await CLAIM.run(send, [prefix + key], [String(Math.ceil(leaseMs))])
      return state === 'new' || state === 'done' ? state : 'busy'
    },
    async confirm(key, ttlMs) {
      await send('SET', prefix + key, 'done', 'PX', String(Math.ceil(ttlMs)))
    },
    async release(key) {
      await RELEASE.run(send, [prefix + key], [])
    },
  }
}
