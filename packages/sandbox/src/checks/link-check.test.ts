import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import { type AddressInfo, createServer as createTcpServer, type Server, type Socket } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { type CheckedLink, checkLinks, type LinkCheckOptions } from './link-check.js'

const servers: Server[] = []
const sockets = new Set<Socket>()
afterEach(() => {
  for (const server of servers.splice(0)) server.close()
  for (const socket of sockets) socket.destroy()
})

async function listen(server: Server): Promise<number> {
  servers.push(server)
  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.on('error', () => {}).once('close', () => sockets.delete(socket))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}
const serve = (listener: RequestListener) => listen(createServer(listener))

async function check(url: string, options: LinkCheckOptions = {}): Promise<CheckedLink> {
  return (await checkLinks([url], options))[0]!
}
const NOT_OPEN = (address: string) => `not checked: ${address} is not a public address`
/** A network in which the server of a test is on the open internet, by the name open.test. */
const OPEN = {
  isAllowed: (address: string) => address === '127.0.0.1',
  lookUp: async () => ['127.0.0.1'],
}

describe('a private address is not asked', () => {
  it.each([
    ['http://127.0.0.1/', '127.0.0.1'],
    ['http://127.1/', '127.0.0.1'],
    ['http://2130706433/', '127.0.0.1'],
    ['http://0x7f000001/', '127.0.0.1'],
    ['http://0177.0.0.1/', '127.0.0.1'],
    ['http://①②⑦.0.0.1/', '127.0.0.1'],
    ['http://10.0.0.1:8080/', '10.0.0.1'],
    ['http://169.254.169.254/latest/meta-data/', '169.254.169.254'],
    ['http://[::1]/', '::1'],
    ['http://[::ffff:127.0.0.1]/', '::ffff:7f00:1'],
    ['http://[0:0:0:0:0:ffff:7f00:1]/', '::ffff:7f00:1'],
    ['http://[64:ff9b::7f00:1]/', '64:ff9b::7f00:1'],
    ['http://user:secret@192.168.0.1/', '192.168.0.1'],
  ])('%s', async (url, address) => {
    expect(await check(url)).toEqual({ url, error: NOT_OPEN(address) })
  })

  it('where one of the addresses of a name is private', async () => {
    const lookUp = async () => ['8.8.8.8', '10.0.0.1']
    expect((await check('http://both.test/', { lookUp })).error).toBe(NOT_OPEN('10.0.0.1'))
  })

  it('where a redirect leads there', async () => {
    let requests = 0
    const inner = await serve((_request, response) => {
      requests += 1
      response.end()
    })
    const port = await serve((_request, response) =>
      response.writeHead(302, { Location: `http://inner.test:${inner}/` }).end(),
    )
    const lookUp = async (name: string) => [name === 'open.test' ? '127.0.0.1' : '127.0.0.2']
    const url = `http://open.test:${port}/`
    expect(await check(url, { ...OPEN, lookUp })).toEqual({ url, error: NOT_OPEN('127.0.0.2') })
    expect(requests).toBe(0)
  })
})

it('looks a name up once for a request, and connects to the address that was looked at', async () => {
  const hosts: (string | undefined)[] = []
  const port = await serve((request, response) => {
    hosts.push(request.headers.host)
    response.writeHead(request.method === 'HEAD' ? 501 : 200).end('x')
  })
  const answers = [['127.0.0.1'], ['10.0.0.1']]
  const url = `http://open.test:${port}/a`
  expect(await check(url, { ...OPEN, lookUp: async () => answers.shift() ?? [] })).toEqual({
    url,
    status: 200,
  })
  expect([hosts, answers]).toEqual([[`open.test:${port}`, `open.test:${port}`], [['10.0.0.1']]])
})

it('follows redirects, and says where they lead', async () => {
  const port = await serve((request, response) =>
    request.url === '/a' ? response.writeHead(301, { Location: 'b' }).end() : response.end(),
  )
  const url = `http://open.test:${port}/a`
  expect(await check(url, OPEN)).toEqual({ url, status: 200, finalUrl: `http://open.test:${port}/b` })
})

it('gives up after five redirects, and where one leads to what is no web page', async () => {
  let requests = 0
  const port = await serve((request, response) => {
    requests += 1
    response.writeHead(302, { Location: request.url === '/file' ? 'file:///etc/passwd' : '/again' }).end()
  })
  expect((await check(`http://open.test:${port}/`, OPEN)).error).toBe('more than 5 redirects')
  expect(requests).toBe(6)
  expect((await check(`http://open.test:${port}/file`, OPEN)).error).toBe('not checked: it leads to file:')
})

it('sends no login that a link holds', async () => {
  const seen: unknown[] = []
  const port = await serve(({ headers }, response) => {
    seen.push(headers.authorization, headers.cookie)
    response.end()
  })
  expect((await check(`http://user:secret@open.test:${port}/`, OPEN)).status).toBe(200)
  expect(seen).toEqual([undefined, undefined])
})

it('asks by GET where a server knows no HEAD, and reads no body', async () => {
  const port = await serve((request, response) => {
    if (request.method === 'HEAD') request.socket.destroy()
    else response.write('x'.repeat(100_000))
  })
  expect((await check(`http://open.test:${port}/`, OPEN)).status).toBe(200)
})

it.each<[string, (socket: Socket) => void]>([
  ['says nothing', () => {}],
  ['drips', (socket) => void setInterval(() => socket.write('x'), 20).unref()],
])('gives up on a server that %s', async (_, talk) => {
  const port = await listen(createTcpServer(talk))
  const url = `http://open.test:${port}/`
  const { error } = await check(url, { ...OPEN, timeoutMs: 150 })
  expect(error).toMatch(/^(?:no reply within 150 ms|Parse Error)/)
})

it('gives up on a name that is never found, and on one without an address', async () => {
  const never = new Promise<never>(() => {})
  expect((await check('http://slow.test/', { lookUp: () => never, timeoutMs: 50 })).error).toBe(
    'no reply within 50 ms',
  )
  expect((await check('http://none.test/', { lookUp: async () => [] })).error).toBe(
    'the host name has no address',
  )
})

it('ends when nobody waits any more', async () => {
  const port = await listen(createTcpServer())
  const left = new AbortController()
  const checking = check(`http://open.test:${port}/`, { ...OPEN, signal: left.signal })
  left.abort(new Error('left'))
  expect((await checking).error).toMatch(/left|aborted/)
})

it('asks 50 links at most, eight at once', async () => {
  let open = 0
  let most = 0
  let requests = 0
  const port = await serve((_request, response) => {
    requests += 1
    most = Math.max(most, ++open)
    setImmediate(() => {
      open -= 1
      response.end()
    })
  })
  const urls = Array.from({ length: 60 }, (_, i) => `http://open.test:${port}/${i}`)
  const checked = await checkLinks(urls, OPEN)
  expect(checked.map(({ url }) => url)).toEqual(urls)
  expect(checked.filter(({ status }) => status === 200)).toHaveLength(50)
  expect(checked[50]?.error).toBe('not checked: only the first 50 links are')
  expect(requests).toBe(50)
  expect(most).toBeLessThanOrEqual(8)
})

it('says what is wrong with a link that is none', async () => {
  expect((await check('http://[/')).error).toBe('Invalid URL')
})
