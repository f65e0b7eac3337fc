import { RedisScript } from './redis-script.js'

/*
 * A key is a hash: s its state (c claimed, u unknown, s sent), o its owner, n the number of the claim, r the reference,
 * f the fingerprint, t the last sign of life, e the end of the lease, i what is known of the mail, x what a look-up found.
 * The index is a sorted set of the keys that are claimed or unknown, by the end of their lease.
 * Times are Redis's own, in milliseconds. `%.0f`: Lua would write a time as 1.7e+12.
 */

const CLOCK = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local function digits(number) return string.format('%.0f', number) end
`

/** KEYS record, index; ARGV owner, lease, reference, fingerprint, time to live, key */
export const CLAIM: RedisScript = new RedisScript(`${CLOCK}
local record = redis.call('HMGET', KEYS[1], 's', 'o', 'f', 'e', 't', 'r', 'i', 'x')
local state = record[1]
local isOver = state == 'c' and tonumber(record[4]) <= now
if state then
  if record[3] and record[3] ~= ARGV[4] then return {'conflict'} end
  if state == 's' then return {'sent', record[7] or '', record[8] or ''} end
  if state == 'u' or record[2] ~= ARGV[1] then
    if state == 'u' or isOver then return {'unknown', digits(now - record[5]), record[6]} end
    return {'held', digits(record[4] - now)}
  end
end
-- A look-up that began while the lease was over must not decide about this claim.
if not state or isOver then redis.call('HINCRBY', KEYS[1], 'n', 1) end
local over = digits(now + ARGV[2])
redis.call('HSET', KEYS[1], 's', 'c', 'o', ARGV[1], 'r', ARGV[3], 'f', ARGV[4], 't', digits(now), 'e', over)
redis.call('PEXPIRE', KEYS[1], ARGV[5])
redis.call('ZADD', KEYS[2], over, ARGV[6])
return {'claimed'}
`)

/** KEYS record, index; ARGV owner, lease, time to live, key */
export const RENEW: RedisScript = new RedisScript(`${CLOCK}
local record = redis.call('HMGET', KEYS[1], 's', 'o', 'e')
if record[1] ~= 'c' or record[2] ~= ARGV[1] or tonumber(record[3]) <= now then return 0 end
local over = digits(now + ARGV[2])
redis.call('HSET', KEYS[1], 't', digits(now), 'e', over)
redis.call('PEXPIRE', KEYS[1], ARGV[3])
redis.call('ZADD', KEYS[2], over, ARGV[4])
return 1
`)

/** KEYS record, index; ARGV owner, state, what is known of the mail, time to live, key */
export const SETTLE: RedisScript = new RedisScript(`${CLOCK}
local record = redis.call('HMGET', KEYS[1], 's', 'o')
if ARGV[2] == 'sent' then
  if record[1] == 's' then return 1 end
  redis.call('HSET', KEYS[1], 's', 's', 'o', ARGV[1], 't', digits(now), 'i', ARGV[3])
  redis.call('PEXPIRE', KEYS[1], ARGV[4])
  redis.call('ZREM', KEYS[2], ARGV[5])
  return 1
end
if record[1] ~= 'c' or record[2] ~= ARGV[1] then return 0 end
if ARGV[2] == 'released' then
  redis.call('DEL', KEYS[1])
  redis.call('ZREM', KEYS[2], ARGV[5])
  return 1
end
redis.call('HSET', KEYS[1], 's', 'u', 't', digits(now))
redis.call('PEXPIRE', KEYS[1], ARGV[4])
redis.call('ZADD', KEYS[2], digits(now), ARGV[5])
return 1
`)

/** KEYS record, index; ARGV ID, state, what a look-up found, time to live, key */
export const RESOLVE: RedisScript = new RedisScript(`${CLOCK}
local record = redis.call('HMGET', KEYS[1], 's', 'o', 'n', 'e')
local state = record[1]
if not (state == 'u' or (state == 'c' and tonumber(record[4]) <= now)) then return 0 end
if ARGV[5] .. ' ' .. record[2] .. ' ' .. record[3] ~= ARGV[1] then return 0 end
redis.call('ZREM', KEYS[2], ARGV[5])
if ARGV[2] == 'released' then
  redis.call('DEL', KEYS[1])
  return 1
end
redis.call('HSET', KEYS[1], 's', 's', 't', digits(now), 'x', ARGV[3])
redis.call('PEXPIRE', KEYS[1], ARGV[4])
return 1
`)

/** KEYS index: the keys whose lease is over, the oldest first. */
export const LIST: RedisScript = new RedisScript(`${CLOCK}
return redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', digits(now))
`)

/** KEYS index, records; ARGV their keys: ID, reference and age of each that is unknown, one after the other. */
export const DESCRIBE: RedisScript = new RedisScript(`${CLOCK}
local found = {}
for place, key in ipairs(ARGV) do
  local record = redis.call('HMGET', KEYS[place + 1], 's', 'o', 'n', 'r', 't', 'e')
  local state = record[1]
  if state == 'u' or (state == 'c' and tonumber(record[6]) <= now) then
    table.insert(found, key .. ' ' .. record[2] .. ' ' .. record[3])
    table.insert(found, record[4])
    table.insert(found, digits(now - record[5]))
  elseif state ~= 'c' then
    -- Redis has forgotten it.
    redis.call('ZREM', KEYS[1], key)
  end
end
return found
`)
