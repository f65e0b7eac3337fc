import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { memoryInUse, size } from '@postmark-smtp/testing'
import { expect, it } from 'vitest'
import { createPostmarkTransport, sendBatch } from '../index.js'

/** `POSTMARK_SMTP_RECIPIENTS=1000000` for a whole list of that length. */
const recipients = Number(process.env.POSTMARK_SMTP_RECIPIENTS ?? size(100_000, 5))

const content = {
  from: 'news@example.com',
  subject: 'November',
  text: 'Hello\n'.repeat(50),
  html: '<p>Hello</p>\n'.repeat(100),
}

it('sends a long list once to each, with memory that stays flat', async () => {
  const got = new Uint8Array(recipients)
  await using server = await startCountingServer((recipient) => got[recipient]!++)
  await using transporter = createPostmarkTransport({
    ...{ serverToken: '6f1c2b1e-8a34-4d3a-9a60-2f7f6c1f0a11', host: '127.0.0.1', ports: [server.port] },
    ...{ allowPlaintext: true, messageStream: 'broadcast' },
  })
  async function* readers() {
    for (let reader = 0; reader < recipients; reader++) yield { to: `reader-${reader}@example.com` }
  }
  const marks: { readonly at: number; readonly bytes: number }[] = []
  let sent = 0
  for await (const { outcome } of sendBatch(transporter, readers(), { message: content })) {
    if (outcome !== 'sent') throw new Error(`An email was not sent: ${outcome}`)
    // After a fifth everything is warm.
    if (++sent % Math.ceil(recipients / 10) === 0 && sent >= recipients / 5)
      marks.push({ at: sent, bytes: await memoryInUse() })
  }
  expect(sent).toBe(recipients)
  expect(got.every((copies) => copies === 1)).toBe(true)
  const [first, last] = [marks[0]!, marks.at(-1)!]
  const slope = (last.bytes - first.bytes) / (last.at - first.at)
  const most = Math.max(...marks.map(({ bytes }) => bytes)) - first.bytes
  console.info(
    `${recipients} recipients: ${slope.toFixed(2)} bytes an email after warm-up, at most ${(most / 1e6).toFixed(2)} MB more`,
  )
  // Of 200,000 emails, 20 bytes that stay for each would be more.
  expect(most).toBeLessThan(4_000_000)
})

/** An SMTP server in clear that counts the emails of each reader, and forgets them. */
async function startCountingServer(onMail: (recipient: number) => void) {
  const server = createServer({ noDelay: true }, (socket) => serve(socket, onMail))
  const sockets = new Set<Socket>()
  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy()
      await once(server.close(), 'close')
    },
  }
}

function serve(socket: Socket, onMail: (recipient: number) => void): void {
  let rest = ''
  let isBody = false
  let isAnswer = false
  let recipient = -1
  const answer = (line: string): string => {
    if (isAnswer) {
      isAnswer = false
      return '235 ok'
    }
    switch (line.slice(0, 4).toUpperCase()) {
      case 'EHLO':
        return '250-test\r\n250-PIPELINING\r\n250 AUTH CRAM-MD5'
      case 'AUTH':
        isAnswer = true
        return '334 PDEyMzRAdGVzdD4='
      case 'RCPT':
        recipient = Number(/reader-(\d+)@/.exec(line)![1])
        return '250 ok'
      case 'DATA':
        isBody = true
        return '354 go'
      default:
        return '250 ok'
    }
  }
  socket.on('error', () => {})
  socket.on('data', (chunk) => {
    rest += chunk.toString('latin1')
    let replies = ''
    for (;;) {
      const mark = isBody ? '\r\n.\r\n' : '\r\n'
      const end = rest.indexOf(mark)
      if (end < 0) break
      const line = rest.slice(0, end)
      rest = rest.slice(end + mark.length)
      if (isBody) {
        isBody = false
        onMail(recipient)
        replies += '250 ok: queued\r\n'
      } else replies += `${answer(line)}\r\n`
    }
    if (replies) socket.write(replies)
  })
  socket.write('220 test ESMTP\r\n')
}
