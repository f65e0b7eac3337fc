import { readdirSync, readFileSync } from 'node:fs'
import { redisMissing, startRedis } from '@postmark-smtp/testing'
import { Redis as IoRedis } from 'ioredis'
import { expect, it } from 'vitest'

/**
 * Each command that the stores send or that their scripts call, with its words, and the version of Redis from which it
 * may be used so: 6.2 at the latest. `SET` with `NX` and `GET` together, or `PEXPIRE` with `GT`, would be of 7.0.
 */
const COMMANDS: Readonly<Record<string, string>> = {
  DEL: '1.0.0',
  EVAL: '2.6.0',
  EVALSHA: '2.6.0',
  GET: '1.0.0',
  HGET: '2.0.0',
  HGETALL: '2.0.0',
  HINCRBY: '2.0.0',
  HMGET: '2.0.0',
  // With several fields.
  HSET: '4.0.0',
  PEXPIRE: '2.6.0',
  'SET PX': '2.6.12',
  // After it a script may write since 5.0.
  TIME: '5.0.0',
  WAIT: '3.0.0',
  ZADD: '1.2.0',
  ZRANGEBYSCORE: '1.0.5',
  ZREM: '1.2.0',
}

const missing = redisMissing()
const skipped = missing !== undefined && process.env.REQUIRE_REAL_PARTS !== '1'
if (skipped) console.warn(`Skipped: ${missing}`)

const folder = new URL('./', import.meta.url)
const sources = readdirSync(folder)
  .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'))
  .map((name) => readFileSync(new URL(name, folder), 'utf8'))

it('the stores use no command, and no word of one, that Redis 6.2 does not have', () => {
  const used = sources.flatMap((source) =>
    [...source.matchAll(/(?:redis\.call|\bsend)\(((?:(?!redis\.call)[^\n])*)/g)].map(([, call = '']) =>
      [...call.matchAll(/'([A-Z]+)'/g)].map(([, word]) => word).join(' '),
    ),
  )
  expect([...new Set(used)].filter((command) => command !== '').sort()).toEqual(Object.keys(COMMANDS))
  for (const since of Object.values(COMMANDS)) expect(Number.parseFloat(since)).toBeLessThanOrEqual(6.2)
})

it('the scripts use nothing of Lua in Redis but its call, and no flags', () => {
  const names = sources.flatMap((source) => [...source.matchAll(/\bredis\.(\w+)\(/g)].map(([, name]) => name))
  expect([...new Set(names)]).toEqual(['call'])
  for (const source of sources) expect(source).not.toContain('`#!')
})

it.skipIf(skipped)('each command is as old as the table says, by the word of Redis', async () => {
  await using redis = await startRedis()
  const client = new IoRedis(redis.path)
  for (const [command, since] of Object.entries(COMMANDS)) {
    const [name = ''] = command.split(' ')
    const [, described] = (await client.call('COMMAND', 'DOCS', name)) as [string, string[]]
    const commandSince = described[described.indexOf('since') + 1]!
    // What is said of a command here may be of its words, which are never older.
    expect(compare(commandSince, since), `${command}: ${commandSince}, ${since}`).toBeLessThanOrEqual(0)
  }
  await client.quit()
})

function compare(a: string, b: string): number {
  return a.localeCompare(b, 'en', { numeric: true })
}
