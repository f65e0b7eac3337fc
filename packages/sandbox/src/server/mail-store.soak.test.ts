import { once } from 'node:events'
import { connect } from 'node:net'
import { memoryInUse, size } from '@postmark-smtp/testing'
import { expect, it } from 'vitest'
import { startSandbox } from '../sandbox.js'

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
  const early = await memoryInUse()
  await send(mails)
  expect(sandbox.outbox).toHaveLength(keep.mails)
  // What came since is ten times that much.
  expect((await memoryInUse()) - early).toBeLessThan((mails * BODY.length) / 10)
  socket.destroy()
})
