import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { rm } from 'node:fs/promises'
import { connect } from 'node:net'
import { expect, it } from 'vitest'
import { postgresMissing } from './postgres.js'

const missing = postgresMissing()
const skipped = missing !== undefined && process.env.REQUIRE_REAL_PARTS !== '1'
if (skipped) console.warn(`Skipped: ${missing}`)

/** It runs the built package, since Node 20 reads no TypeScript. */
const PARENT = `
import { startPostgres } from ${JSON.stringify(new URL('../dist/postgres.js', import.meta.url).href)}
const { connectionString } = await startPostgres()
console.log(new URL(connectionString).searchParams.get('host'))
setInterval(() => {}, 60_000)
`

it.skipIf(skipped)('Postgres ends with the process that started it, even if that is killed', async () => {
  const parent = spawn(process.execPath, ['--input-type=module', '--eval', PARENT], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [folder] = await once(parent.stdout, 'data')
  const socket = connect(`${String(folder).trim()}/.s.PGSQL.5432`)
  // A connection that has not logged in would outlive the server, by up to a minute.
  socket.write(startup('user', 'postgres'))
  await once(socket, 'data')
  const closed = new Promise((resolve) => socket.once('close', resolve))
  // It may be reset.
  socket.on('error', () => {}).resume()
  parent.kill('SIGKILL')
  await closed
  // Its processes end one after the other.
  await expect
    .poll(() => rm(String(folder).trim(), { recursive: true, force: true }).then(() => true), {
      timeout: 60_000,
    })
    .toBe(true)
})

/** The first message of a client, of version 3 of the protocol. */
function startup(...parameters: string[]): Buffer {
  const message = Buffer.from(`\0\0\0\0\0\x03\0\0${parameters.join('\0')}\0\0`)
  message.writeUInt32BE(message.length)
  return message
}
