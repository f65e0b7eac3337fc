import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'

/**
 * An SMTP server that answers and forgets, run in a process of its own, so that the measured process spends its
 * time on sending alone. The argument is the delay of each reply in milliseconds: a round trip of that length.
 */
const delayMs = Number(process.argv[2] ?? 0)

function serve(socket: Socket): void {
  let inData = false
  let awaitsAnswer = false
  let rest = ''
  const reply = (text: string) => {
    if (delayMs > 0) setTimeout(() => socket.destroyed || socket.write(text), delayMs)
    else socket.write(text)
  }
  socket.setNoDelay(true)
  socket.on('error', () => {})
  reply('220 sink ESMTP\r\n')
  socket.setEncoding('latin1').on('data', (chunk: string) => {
    rest += chunk
    let replies = ''
    for (;;) {
      const end = inData ? '\r\n.\r\n' : '\r\n'
      const at = rest.indexOf(end)
      if (at < 0) break
      const verb = rest.slice(0, 4).toUpperCase()
      rest = rest.slice(at + end.length)
      if (awaitsAnswer) {
        awaitsAnswer = false
        replies += '235 2.7.0 ok\r\n'
      } else if (inData) {
        inData = false
        replies += '250 2.0.0 Ok: queued as 1\r\n'
      } else if (verb === 'EHLO') replies += '250-sink\r\n250-PIPELINING\r\n250 AUTH CRAM-MD5\r\n'
      else if (verb === 'AUTH') {
        awaitsAnswer = true
        replies += '334 PDEyMzRAc2luaz4=\r\n'
      } else if (verb === 'DATA') {
        inData = true
        replies += '354 go\r\n'
      } else replies += verb === 'QUIT' ? '221 bye\r\n' : '250 ok\r\n'
    }
    if (inData && rest.length > 8) rest = rest.slice(-8)
    if (replies) reply(replies)
  })
}

const server = createServer(serve).listen(0, '127.0.0.1')
await once(server, 'listening')
process.send?.((server.address() as AddressInfo).port)
process.on('disconnect', () => process.exit())
