import { RedisScript } from './redis-script.js'

/*
 * A key is a hash: s its state (c claimed, u unknown, s sent), o its owner, n the number of the claim, r the reference,
 * f the fingerprint, t the last sign of life, e the end of the lease, i the info about the email, x the result of a look-up.
 * The index is a sorted set of the keys that are claimed or unknown, by the end of their lease.
 * Times are Redis's own, in milliseconds. `%.0f`: Lua would write a time as 1.7e+12.
 */

const CLOCK = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local function digits(number) return string.format('%.0f', number) end
`

/**
 * Runs the steps of many emails in sequence, so that they share a round trip. KEYS: the index, and a record for each step.
 * ARGV: for each step its name, its key, the number of its arguments, and the arguments.
 * Returns an answer for each step.
 */
export const STEPS: RedisScript = new RedisScript(`${CLOCK}
local steps = {}

function steps.claim(record, key, owner, lease, reference, fingerprint, ttl)
  local known = redis.call('HMGET', record, 's', 'o', 'f', 'e', 't', 'r', 'i', 'x')
  local state = known[1]
  local isOver = state == 'c' and tonumber(known[4]) <= now
  if state then
    if known[3] and known[3] ~= fingerprint then return {'conflict'} end
    if state == 's' then return {'sent', known[7] or '', known[8] or ''} end
    if state == 'u' or known[2] ~= owner then
      if state == 'u' or isOver then return {'unknown', digits(now - known[5]), known[6]} end
      return {'held', digits(known[4] - now)}
    end
  end
  -- A look-up that began while the lease was over must not decide about this claim.
  if not state or isOver then redis.call('HINCRBY', record, 'n', 1) end
  local over = digits(now + lease)
  redis.call('HSET', record, 's', 'c', 'o', owner, 'r', reference, 'f', fingerprint, 't', digits(now), 'e', over)
  redis.call('PEXPIRE', record, ttl)
  redis.call('ZADD', KEYS[1], over, key)
  return {'claimed'}
end

function steps.renew(record, key, owner, lease, ttl)
  local known = redis.call('HMGET', record, 's', 'o', 'e')
  if known[1] ~= 'c' or known[2] ~= owner or tonumber(known[3]) <= now then return 0 end
  local over = digits(now + lease)
  redis.call('HSET', record, 't', digits(now), 'e', over)
  redis.call('PEXPIRE', record, ttl)
  redis.call('ZADD', KEYS[1], over, key)
  return 1
end

function steps.settle(record, key, owner, outcome, info, ttl)
  local known = redis.call('HMGET', record, 's', 'o')
  if outcome == 'sent' then
    if known[1] == 's' then return 1 end
    redis.call('HSET', record, 's', 's', 'o', owner, 't', digits(now), 'i', info)
    redis.call('PEXPIRE', record, ttl)
    redis.call('ZREM', KEYS[1], key)
    return 1
  end
  if known[1] ~= 'c' or known[2] ~= owner then return 0 end
  if outcome == 'released' then
    redis.call('DEL', record)
    redis.call('ZREM', KEYS[1], key)
    return 1
  end
  redis.call('HSET', record, 's', 'u', 't', digits(now))
  redis.call('PEXPIRE', record, ttl)
  redis.call('ZADD', KEYS[1], digits(now), key)
  return 1
end

local answers = {}
local at = 1
for place = 2, #KEYS do
  local last = at + 2 + ARGV[at + 2]
  local done, answer = pcall(steps[ARGV[at]], KEYS[place], ARGV[at + 1], unpack(ARGV, at + 3, last))
  -- A step that fails does not affect the others. Since Redis 7, the error is a table.
  answers[place - 1] = done and answer or {'error', type(answer) == 'table' and answer.err or answer}
  at = last + 1
end
return answers
`)

/** KEYS: record, index. ARGV: ID, state, result of the look-up, time to live, key. */
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

/** KEYS: index. Returns the keys whose lease has expired, oldest first. */
export const LIST: RedisScript = new RedisScript(`${CLOCK}
return redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', digits(now))
`)

/** KEYS: index, records. ARGV: the keys. Returns ID, reference and age of each unknown mail, in one flat list. */
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
