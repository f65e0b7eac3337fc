import { type Suppression, type SuppressionStore, toAddressKey } from '@postmark-smtp/core/pure'
import { type RedisClient, type RedisStoreOptions, toKeyPrefix, toSendCommand } from './redis-client.js'
import { RedisScript } from './redis-script.js'

/** Suppressed addresses that processes share, for the option `suppressions` and for `suppressFrom`. */
export interface RedisSuppressions extends SuppressionStore {
  find(addresses: readonly string[], stream: string): Promise<readonly string[]>
  add(suppression: Suppression): Promise<void>
  remove(suppression: Suppression): Promise<void>
}

/**
 * KEYS: the addresses of a stream. ARGV: address, sign, time, reason. A removed address is kept with its time, because
 * Postmark repeats an event for hours, and an old event must not count again.
 */
const CHANGE = new RedisScript(`
local at = tonumber(ARGV[3])
if not at then
  local time = redis.call('TIME')
  at = time[1] * 1000 + math.floor(time[2] / 1000)
end
local known = redis.call('HGET', KEYS[1], ARGV[1])
if known and tonumber(string.match(known, '%d+')) > at then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2] .. string.format('%.0f', at) .. ' ' .. ARGV[4])
return 1
`)

/**
 * Stores suppressed addresses on Redis, in one hash per stream. The fields are the addresses as `toAddressKey` writes
 * them; the values hold the time and the reason. All recipients of an email are checked in one round trip.
 * @example createPostmarkTransport({ serverToken, suppressions: createRedisSuppressions(redis) })
 * @throws PostmarkError ERR_POSTMARK_OPTIONS
 */
export function createRedisSuppressions(client: RedisClient, options?: RedisStoreOptions): RedisSuppressions {
  const send = toSendCommand(client)
  const prefix = `${toKeyPrefix(options)}suppressions:`
  const change = async (sign: '+' | '-', { address, stream, at, reason = '' }: Suppression) => {
    const args = [toAddressKey(address), sign, at === undefined ? '' : String(at.getTime()), reason]
    await CHANGE.run(send, [prefix + stream], args)
  }
  return {
    async find(addresses, stream) {
      if (addresses.length === 0) return []
      const found = (await send('HMGET', prefix + stream, ...addresses.map(toAddressKey))) as (
        | string
        | null
      )[]
      return addresses.filter((_, place) => found[place]?.startsWith('+'))
    },
    add: (suppression) => change('+', suppression),
    remove: (suppression) => change('-', suppression),
  }
}
