import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { type ConnectionOptions, createSecureContext, TLSSocket } from 'node:tls'
import { type Certificate, loopbackCertificate, makeCertificate } from '@postmark-smtp/testing'
import { afterEach, expect, it, vi } from 'vitest'
import { createTlsContext, startTls, type TlsContext } from './start-tls.js'

const REMOTE = 'smtp.example.com'
const closing: (() => Promise<void>)[] = []

afterEach(async () => {
  vi.unstubAllEnvs()
  for (const close of closing.splice(0)) await close()
})

/** A server that speaks TLS at once. */
async function listen({ cert, key }: Certificate, options: object = {}) {
  const sockets = new Set<Socket>()
  // One for all connections, since it holds the keys of the tickets.
  const secureContext = createSecureContext({ cert, key, ...options })
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {}).on('close', () => sockets.delete(socket))
    const secured = new TLSSocket(socket, { isServer: true, secureContext })
    // The bytes make the client read, and so get its session.
    secured.on('error', () => {}).on('secure', () => secured.write('220 secure\r\n'))
    secured.on('end', () => secured.end())
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  closing.push(async () => {
    for (const socket of sockets) socket.destroy()
    server.close()
    await once(server, 'close')
  })
  return (server.address() as AddressInfo).port
}

interface Outcome {
  readonly error?: Error & { readonly code?: string }
  readonly reused?: boolean
}

/** Connects, and ends again; a session that the server gives is kept by then. */
async function secure(port: number, host: string, context: TlsContext): Promise<Outcome> {
  const socket = connect(port, '127.0.0.1')
  let calls = 0
  const outcome = await new Promise<Outcome>((resolve) => {
    startTls(socket, host, context, (error, secured) => {
      calls++
      if (error) resolve({ error })
      else
        secured.once('data', () => {
          resolve({ reused: secured.isSessionReused() })
          secured.end()
        })
    })
  })
  if (!socket.destroyed) await once(socket, 'close')
  expect(calls).toBe(1)
  return outcome
}

const local = (options: ConnectionOptions = {}) =>
  loopbackCertificate().then(({ cert }) => createTlsContext({ ca: cert, ...options }))
const remote = makeCertificate(REMOTE)

it('takes a certificate that is trusted and for the host, by name and by address', async () => {
  const port = await listen(await loopbackCertificate())
  for (const host of ['localhost', '127.0.0.1'])
    expect(await secure(port, host, await local())).toEqual({ reused: false })
})

it('refuses a certificate that nobody trusts, also where the environment switches verification off', async () => {
  const port = await listen(await loopbackCertificate())
  vi.stubEnv('NODE_TLS_REJECT_UNAUTHORIZED', '0')
  for (const host of ['localhost', '127.0.0.1', REMOTE]) {
    const { error } = await secure(port, host, createTlsContext())
    expect(error?.code).toBe('DEPTH_ZERO_SELF_SIGNED_CERT')
  }
})

it('refuses a certificate for another host', async () => {
  const port = await listen(await loopbackCertificate())
  const { error } = await secure(port, REMOTE, await local())
  expect(error?.code).toBe('ERR_TLS_CERT_ALTNAME_INVALID')
})

it('compares the certificate with `servername` where that is given', async () => {
  const port = await listen(await remote)
  const { cert } = await remote
  expect(await secure(port, '127.0.0.1', createTlsContext({ ca: cert, servername: REMOTE }))).toEqual({
    reused: false,
  })
})

it('verifies nothing with `rejectUnauthorized: false`, for a loopback host only', async () => {
  const port = await listen(await loopbackCertificate())
  const context = createTlsContext({ rejectUnauthorized: false })
  expect(await secure(port, '127.0.0.1', context)).toEqual({ reused: false })
  expect((await secure(port, REMOTE, context)).error?.code).toBe('DEPTH_ZERO_SELF_SIGNED_CERT')
})

it('asks `checkServerIdentity` in addition for a remote host, and in place of the check for a loopback one', async () => {
  const asked: string[] = []
  const check = (name: string) => {
    asked.push(name)
    return undefined
  }
  const port = await listen(await remote)
  const { cert } = await remote
  const context = createTlsContext({ ca: cert, checkServerIdentity: check })
  expect(await secure(port, REMOTE, context)).toEqual({ reused: false })
  expect((await secure(port, 'other.example.com', context)).error?.code).toBe('ERR_TLS_CERT_ALTNAME_INVALID')
  expect(asked).toEqual([REMOTE])
  expect(await secure(port, '127.0.0.1', context)).toEqual({ reused: false })
  expect(asked).toEqual([REMOTE, '127.0.0.1'])
})

it.each<[string, () => Error | undefined, string]>([
  ['returns an error', () => new Error('The pin does not match'), 'The pin does not match'],
  [
    'throws one',
    () => {
      throw new Error('The pin does not match')
    },
    'The pin does not match',
  ],
  [
    'throws a value',
    () => {
      throw 'no' as never
    },
    'no',
  ],
  ['returns a value', () => true as never, 'a value that is not an error'],
])(
  'fails where `checkServerIdentity` %s, with a code that says whose fault it is',
  async (_what, check, message) => {
    const port = await listen(await remote)
    const { cert } = await remote
    const { error } = await secure(port, REMOTE, createTlsContext({ ca: cert, checkServerIdentity: check }))
    expect(error).toMatchObject({ message, code: 'ERR_TLS_CERT_REFUSED' })
  },
)

it('keeps the code of an error that `checkServerIdentity` returns', async () => {
  const port = await listen(await remote)
  const { cert } = await remote
  const refused = Object.assign(new Error('No'), { code: 'MY_CODE' })
  const { error } = await secure(
    port,
    REMOTE,
    createTlsContext({ ca: cert, checkServerIdentity: () => refused }),
  )
  expect(error?.code).toBe('MY_CODE')
})

it.each(['TLSv1.2', 'TLSv1.3'] as const)(
  'resumes a session of %s under the same host, servername and options, and under no others',
  async (maxVersion) => {
    const certificate = await loopbackCertificate()
    const port = await listen(certificate, { maxVersion })
    const context = await local()
    expect(await secure(port, 'localhost', context)).toEqual({ reused: false })
    expect(await secure(port, 'localhost', context)).toEqual({ reused: true })
    expect(await secure(port, '127.0.0.1', context)).toEqual({ reused: false })
    expect(await secure(port, 'localhost', await local())).toEqual({ reused: false })
    expect((await secure(port, 'localhost', createTlsContext())).error).toBeDefined()
    expect((await secure(port, REMOTE, context)).error?.code).toBe('ERR_TLS_CERT_ALTNAME_INVALID')
    expect(await secure(port, 'localhost', context)).toEqual({ reused: true })
  },
)

it.each(['TLSv1.2', 'TLSv1.3'] as const)(
  'looks at a certificate of %s that has changed since the session that it would resume',
  async (maxVersion) => {
    const first = await listen(await loopbackCertificate(), { maxVersion })
    const changed = await listen(await makeCertificate('localhost'), { maxVersion })
    const context = await local()
    await secure(first, 'localhost', context)
    expect(await secure(first, 'localhost', context)).toEqual({ reused: true })
    expect((await secure(changed, 'localhost', context)).error?.code).toMatch(/SELF_SIGNED|UNABLE_TO_VERIFY/)
    expect([...context.sessions]).toEqual([])
    expect(await secure(first, 'localhost', context)).toEqual({ reused: false })
  },
)

it.each(['TLSv1.2', 'TLSv1.3'] as const)(
  'resumes no session of %s whose certificate was refused, since a resumed one is not looked at again',
  async (maxVersion) => {
    const port = await listen(await loopbackCertificate(), { maxVersion })
    const context = await local()
    for (let times = 0; times < 3; times++)
      expect((await secure(port, REMOTE, context)).error?.code).toBe('ERR_TLS_CERT_ALTNAME_INVALID')
    expect([...context.sessions]).toEqual([])
  },
)

it('keeps the newest 20 sessions', async () => {
  const port = await listen(await loopbackCertificate())
  const context = await local()
  for (let index = 0; index < 20; index++) context.sessions.set(`host-${index}\n`, Buffer.alloc(1))
  await secure(port, 'localhost', context)
  expect(context.sessions.size).toBe(20)
  expect(context.sessions.has('host-0\n')).toBe(false)
  expect(context.sessions.has('localhost\nlocalhost')).toBe(true)
})

it('fails once where the connection is closed during the handshake', async () => {
  const server = createServer((socket) => socket.once('data', () => socket.end()))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const { error } = await secure(port, 'localhost', await local())
  expect(error?.code).toBe('ECONNRESET')
  server.close()
  await once(server, 'close')
})

it('fails where what answers speaks no TLS', async () => {
  const server = createServer((socket) =>
    socket.on('error', () => {}).once('data', () => socket.end('500 what?\r\n')),
  )
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const { error } = await secure(port, 'localhost', await local())
  expect(error?.code).toMatch(/^ERR_SSL_/)
  server.close()
  await once(server, 'close')
})
