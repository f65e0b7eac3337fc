import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { rm } from 'node:fs/promises'
import { connect } from 'node:net'
import { dirname } from 'node:path'
import { it } from 'vitest'
import { redisMissing } from './redis.js'

const missing = redisMissing()
const skipped = missing !== undefined && process.env.REQUIRE_REAL_PARTS !== '1'
if (skipped) console.warn(`Skipped: ${missing}`)

/** It runs the built package, since Node 20 reads no TypeScript. */
const PARENT = `
import { startRedis } from ${JSON.stringify(new URL('../dist/redis.js', import.meta.url).href)}
const redis = await startRedis()
await redis.restart()
console.log(redis.path)
setInterval(() => {}, 60_000)
`

it.skipIf(skipped)('Redis ends with the process that started it, even if that is killed', async () => {
  const parent = spawn(process.execPath, ['--input-type=module', '--eval', PARENT], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [path] = await once(parent.stdout, 'data')
  const socket = connect(String(path).trim())
  await once(socket, 'connect')
  const closed = new Promise((resolve) => socket.once('close', resolve))
  // It may be reset.
  socket.on('error', () => {}).resume()
  parent.kill('SIGKILL')
  await closed
  await rm(dirname(String(path)), { recursive: true })
})
