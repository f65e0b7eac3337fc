import { once } from 'node:events'
import { connect } from 'node:net'
import { setImmediate } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { size } from '@postmark-smtp/testing'
import { expect, it } from 'vitest'
import { startSandbox } from '../sandbox.js'

setFlagsFromString('--expose-gc')
const collect: () => void = runInNewContext('gc')

/** Bytes in use, once everything that nobody holds is gone. */
async function memory(): Promise<number> {
  collect()
  await setImmediate()
  // Buffers whose owners went in the first one.
  collect()
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return heapUsed + arrayBuffers
}

const BODY = `Subject: Hello\r\n\r\n${`${'x'.repeat(78)}\r\n`.repeat(125)}`
const MAIL = `MAIL FROM:<a@example.com>\r\nRCPT TO:<b@example.com>\r\nDATA\r\n${BODY}.\r\n`

it('keeps its memory flat once the cap is reached', async () => {
  const keep = { mails: 200 }
  await using sandbox = await startSandbox({ keep, allowAnonymous: true })
  const socket = connect({ host: sandbox.host, port: sandbox.port }).setEncoding('latin1')
  await once(socket, 'data')
  socket.write('EHLO me\r\n')
  const send = async (count: number) => {
    for (let sent = 0; sent < count; sent++) {
      socket.write(MAIL)
      for (let heard = ''; !/^250 .*queued/m.test(heard); ) heard += (await once(socket, 'data'))[0]
    }
  }
  const mails = size(20_000)
  await send(mails / 4)
  const early = await memory()
  await send(mails)
  expect(sandbox.outbox).toHaveLength(keep.mails)
  // What came since is ten times that much.
  expect((await memory()) - early).toBeLessThan((mails * BODY.length) / 10)
  socket.destroy()
})
