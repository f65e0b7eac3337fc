import { optionError } from '@postmark-smtp/core/internal'
import { type RedisClient, type RedisStoreOptions, toKeyPrefix, toSendCommand } from './redis-client.js'
import { RedisScript } from './redis-script.js'

/** The cursor of `reconcile` and `watch` in `@postmark-smtp/webhooks`. */
export type StoredCursor = Readonly<Record<string, { readonly at: string; readonly id: number | string }>>

/** Options of {@link createRedisCursor}. */
export interface RedisCursorOptions extends RedisStoreOptions {
  /** The name of the cursor, if an application has several. Default `bounces`. */
  readonly name?: string | undefined
}

/** A cursor that outlives its process. */
export interface RedisCursor {
  /** Returns the saved cursor, or undefined if none was saved. */
  load(): Promise<StoredCursor | undefined>
  /** Saves a cursor. The later position of each stream is kept, so a slow process cannot move it back. */
  save(cursor: StoredCursor): Promise<void>
  /** Deletes the cursor. The next run starts from the beginning. */
  clear(): Promise<void>
}

/** All times have the same format, which sorts as text. */
const SAVE = new RedisScript(`
for place = 1, #ARGV, 3 do
  local known = redis.call('HGET', KEYS[1], ARGV[place])
  if not known or string.match(known, '^%S+') <= ARGV[place + 1] then
    redis.call('HSET', KEYS[1], ARGV[place], ARGV[place + 1] .. ' ' .. ARGV[place + 2])
  end
end
return 1
`)

// The clients return a hash in different shapes; a script returns only one.
const LOAD = new RedisScript(`return redis.call('HGETALL', KEYS[1])`)

/**
 * Stores on Redis how far the list of bounces was read.
 * @example
 * const cursor = createRedisCursor(redis)
 * const run = reconcile(client, { streams: ['outbound'], cursor: await cursor.load() })
 * for await (const event of run) {
 *   await handle(event)
 *   await cursor.save(run.cursor)
 * }
 * @throws PostmarkError ERR_POSTMARK_OPTIONS
 */
export function createRedisCursor(client: RedisClient, options?: RedisCursorOptions): RedisCursor {
  const send = toSendCommand(client)
  const prefix = toKeyPrefix(options, ['name'])
  const name: unknown = options?.name ?? 'bounces'
  if (typeof name !== 'string' || name === '') throw optionError('name', name, 'a non-empty string')
  const key = `${prefix}cursor:${name}`
  return {
    async load() {
      const flat = (await LOAD.run(send, [key], [])) as string[]
      if (flat.length === 0) return undefined
      const cursor: Record<string, StoredCursor[string]> = {}
      for (let place = 0; place + 1 < flat.length; place += 2) {
        const [at = '', id = ''] = flat[place + 1]!.split(/ (.*)/s)
        cursor[flat[place]!] = { at, id: JSON.parse(id) }
      }
      return cursor
    },
    async save(cursor) {
      const args = Object.entries(cursor).flatMap(([stream, { at, id }]) => [stream, at, JSON.stringify(id)])
      await SAVE.run(send, [key], args)
    },
    async clear() {
      await send('DEL', key)
    },
  }
}
