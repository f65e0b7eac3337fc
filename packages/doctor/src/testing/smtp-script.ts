import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { createSecureContext, type SecureContextOptions, TLSSocket } from 'node:tls'

/** What a scripted SMTP server says. */
export interface SmtpScript {
  /** If it is empty, the server does not greet. */
  readonly greeting?: string
  /** Keywords of EHLO; the first one is the name. If it is empty, EHLO is not answered. */
  readonly ehlo?: readonly string[]
  readonly startTls?: string
  readonly tls?: SecureContextOptions
  readonly auth?: string
  /** Replaces the reply to the end of an email. */
  readonly dot?: string
  /** Says that it is ready for TLS, and then nothing more. */
  readonly hangsAtTls?: boolean
  /** Ends each connection once it is made. */
  readonly hangsUp?: boolean
}

const NAME = 'smtp.postmarkapp.com'
const KEYWORDS = ['PIPELINING', 'SIZE 20480000', 'STARTTLS', 'AUTH PLAIN LOGIN CRAM-MD5', '8BITMIME']

/** An SMTP server on the loopback interface that speaks as the script says, with real TLS. */
export async function startSmtpScript(
  script: SmtpScript,
): Promise<{ readonly port: number; close(): Promise<void> }> {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {}).on('close', () => sockets.delete(socket))
    if (script.hangsUp) {
      socket.end()
      return
    }
    const { greeting = `220 ${NAME} ESMTP` } = script
    if (greeting !== '') socket.write(`${greeting}\r\n`)
    serve(socket, script)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    close: async () => {
      for (const socket of sockets) socket.destroy()
      await new Promise<unknown>((resolve) => server.close(resolve))
    },
  }
}

function serve(socket: Socket, script: SmtpScript): void {
  let isBody = false
  const onData = (chunk: Buffer) => {
    for (const line of chunk
      .toString()
      .split('\r\n')
      .filter((each) => each !== '')) {
      if (isBody && line !== '.') continue
      const reply = answer(line, isBody, script, socket instanceof TLSSocket)
      isBody = line === 'DATA'
      if (reply === '') continue
      socket.write(`${reply}\r\n`)
      if (line === 'QUIT') socket.end()
      if (line !== 'STARTTLS' || !reply.startsWith('220')) continue
      socket.off('data', onData)
      if (script.hangsAtTls) return
      const { minVersion, maxVersion, ...context } = script.tls ?? {}
      const secured = new TLSSocket(socket, {
        isServer: true,
        secureContext: createSecureContext({
          ...context,
          ...(minVersion && { minVersion }),
          ...(maxVersion && { maxVersion }),
        }),
      })
      secured.on('error', () => {})
      serve(secured as Socket, script)
    }
  }
  socket.on('data', onData)
}

function answer(line: string, isBody: boolean, script: SmtpScript, isSecure: boolean): string {
  if (isBody) return script.dot ?? '250 2.0.0 Ok: queued as 4D5E6F'
  const { ehlo = [NAME, ...KEYWORDS] } = script
  const offers = ehlo.filter((keyword) => !isSecure || keyword !== 'STARTTLS')
  const [verb = ''] = line.split(' ')
  switch (verb) {
    case 'EHLO':
      return offers.map((each, index) => `250${index < offers.length - 1 ? '-' : ' '}${each}`).join('\r\n')
    case 'STARTTLS':
      return script.startTls ?? '220 2.0.0 Ready'
    case 'AUTH':
      return script.auth ?? '235 2.7.0 Ok'
    case 'DATA':
      return '354 Go on'
    case 'QUIT':
      return '221 2.0.0 Bye'
    default:
      return '250 2.0.0 Ok'
  }
}
