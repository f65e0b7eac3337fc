import { once } from 'node:events'
import { type AddressInfo, createServer, type Server } from 'node:net'
import type { Duplex } from 'node:stream'
import { createSecureContext, TLSSocket } from 'node:tls'
import { generate } from 'selfsigned'
import { createDelayedLine } from './delayed-line.js'
import { ROUND_TRIP_MS, type SinkPorts } from './sink-ports.js'

/**
 * An SMTP server that replies immediately, counts emails and forgets them, in its own process (`node dist/sink.js`), so
 * that the measured process spends its time only on sending. It offers what Postmark's server did: PIPELINING, SIZE,
 * 8BITMIME, STARTTLS, CRAM-MD5 before it and AUTH PLAIN after it. On separate ports it offers CHUNKING as well. It posts
 * its ports when it listens, and answers each message with the number of emails that it took.
 */
const { cert, key } = await makeCertificate()
const secureContext = createSecureContext({ cert, key })
let mails = 0
const onMail = () => {
  mails++
}
const plain = await listenTwice('')
const chunking = await listenTwice('250-CHUNKING\r\n')
process.on('message', () => process.send?.(mails))
process.on('disconnect', () => process.exit())
process.send?.({ ...plain, chunking, cert } satisfies SinkPorts)

/** A server with additional offers, on the loopback interface and over a slow line. */
async function listenTwice(offers: string): Promise<{ near: number; far: number }> {
  const server = createServer({ noDelay: true }, (socket) => {
    socket.on('error', () => {})
    const startTls = () => {
      const secured = new TLSSocket(socket, { isServer: true, secureContext })
      secured.on('error', () => {})
      serve(secured, offers, undefined, onMail)
    }
    serve(socket, offers, startTls, onMail)
    socket.write('220 sink ESMTP\r\n')
  })
  const near = await listen(server)
  return { near, far: await listen(createDelayedLine(near, ROUND_TRIP_MS / 2)) }
}

/**
 * Serves one session. An email counts only if MAIL and RCPT came before DATA or BDAT.
 * @param offers lines of EHLO
 * @param startTls starts TLS on the connection; undefined if it is already in use
 */
function serve(socket: Duplex, offers: string, startTls: (() => void) | undefined, onMail: () => void): void {
  let inData = false
  let inLogin = false
  let hasSender = false
  let hasRecipient = false
  let rest = ''
  /** Bytes of a chunk that are still to come, and whether it is the last of its email. */
  let awaited = { bytes: 0, isLast: false }
  const endChunk = (): string => {
    const isTaken = hasRecipient
    if (isTaken && !awaited.isLast) return '250 2.0.0 ok\r\n'
    hasSender = hasRecipient = false
    if (isTaken) onMail()
    return isTaken ? '250 2.0.0 Ok: queued as 1\r\n' : '503 5.5.1 RCPT first\r\n'
  }
  const answer = (verb: string): string => {
    switch (verb) {
      case 'EHLO':
        return `250-sink\r\n250-PIPELINING\r\n${offers}250-SIZE 20480000\r\n${
          startTls ? '250-STARTTLS\r\n250-AUTH CRAM-MD5' : '250-AUTH PLAIN LOGIN CRAM-MD5'
        }\r\n250 8BITMIME\r\n`
      case 'AUTH':
        // PLAIN comes with its answer.
        inLogin = startTls !== undefined
        return inLogin ? '334 PDEyMzRAc2luaz4=\r\n' : '235 2.7.0 ok\r\n'
      case 'MAIL':
        if (hasSender) return '503 5.5.1 nested MAIL\r\n'
        hasSender = true
        return '250 2.1.0 ok\r\n'
      case 'RCPT':
        hasRecipient = hasSender
        return hasSender ? '250 2.1.5 ok\r\n' : '503 5.5.1 MAIL first\r\n'
      case 'DATA':
        inData = hasRecipient
        return inData ? '354 go\r\n' : '503 5.5.1 RCPT first\r\n'
      case 'RSET':
        hasSender = hasRecipient = false
        return '250 2.0.0 ok\r\n'
      case 'QUIT':
        return '221 2.0.0 bye\r\n'
      default:
        return '502 5.5.2 unknown\r\n'
    }
  }
  const onData = (chunk: Buffer) => {
    rest += chunk.toString('latin1')
    let replies = ''
    for (;;) {
      if (awaited.bytes > 0) {
        const taken = Math.min(awaited.bytes, rest.length)
        rest = rest.slice(taken)
        awaited.bytes -= taken
        if (awaited.bytes > 0) break
        replies += endChunk()
      }
      const end = inData ? '\r\n.\r\n' : '\r\n'
      const at = rest.indexOf(end)
      if (at < 0) break
      const verb = rest.slice(0, 4).toUpperCase()
      const line = inLogin ? '' : verb
      if (line === 'BDAT' && !inData) {
        const [, bytes, last] = /^BDAT (\d+)( LAST)?$/i.exec(rest.slice(0, at)) ?? []
        awaited = { bytes: Number(bytes), isLast: last !== undefined }
        rest = rest.slice(at + end.length)
        continue
      }
      rest = rest.slice(at + end.length)
      if (inData) {
        inData = hasSender = hasRecipient = false
        onMail()
        replies += '250 2.0.0 Ok: queued as 1\r\n'
      } else if (line === '') {
        inLogin = false
        replies += '235 2.7.0 ok\r\n'
      } else if (line === 'STAR' && startTls) {
        socket.off('data', onData)
        socket.write('220 2.0.0 go\r\n')
        startTls()
        return
      } else replies += answer(line)
      if (line === 'QUIT') {
        socket.end(replies)
        return
      }
    }
    if (inData && rest.length > 8) rest = rest.slice(-8)
    if (replies) socket.write(replies)
  }
  socket.on('data', onData)
}

async function listen(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}

async function makeCertificate(): Promise<{ cert: string; key: string }> {
  const { cert, private: key } = await generate([{ name: 'commonName', value: 'localhost' }], {
    keyType: 'ec',
    algorithm: 'sha256',
    extensions: [{ name: 'subjectAltName', altNames: [{ type: 7, ip: '127.0.0.1' }] }],
  })
  return { cert, key }
}
