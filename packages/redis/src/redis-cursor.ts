import { optionError } from '@postmark-smtp/core/internal'
import { type RedisClient, type RedisStoreOptions, toKeyPrefix, toSendCommand } from './redis-client.js'
import { RedisScript } from './redis-script.js'

/** The cursor of `reconcile` and `watch` in `@postmark-smtp/webhooks`. */
export type StoredCursor = Readonly<Record<string, { readonly at: string; readonly id: number | string }>>

/** What {@link createRedisCursor} takes. */
export interface RedisCursorOptions extends RedisStoreOptions {
  /** Which cursor, where an application has several. Default `bounces`. */
  readonly name?: string | undefined
}

/** A cursor that outlives its process. */
export interface RedisCursor {
  /** What was saved last; undefined where nothing was. */
  load(): Promise<StoredCursor | undefined>
  /** Saves a cursor. For each stream the later place counts, so that a slow process takes none back. */
  save(cursor: StoredCursor): Promise<void>
  /** Forgets it: the next run begins anew. */
  clear(): Promise<void>
}

/** Times are of one form, which sorts as text does. */
const SAVE = new RedisScript(`
for place = 1, #ARGV, 3 do
  local known = redis.call('HGET', KEYS[1], ARGV[place])
  if not known or string.match(known, '^%S+') <= ARGV[place + 1] then
    redis.call('HSET', KEYS[1], ARGV[place], ARGV[place + 1] .. ' ' .. ARGV[place + 2])
  end
end
return 1
`)

// The clients give a hash in different shapes; a script has only one.
const LOAD = new RedisScript(`return redis.call('HGETALL', KEYS[1])`)

/**
 * Keeps on Redis up to where the list of bounces was read.
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
  if (typeof name !== 'string' || name === '') throw optionError('name', name, 'a text that says something')
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
