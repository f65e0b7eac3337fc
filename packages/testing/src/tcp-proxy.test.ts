import { once } from 'node:events'
import { type AddressInfo, connect, createServer } from 'node:net'
import { expect, it } from 'vitest'
import { startTcpProxy, type TcpProxyOptions } from './tcp-proxy.js'

/** A server that repeats what it hears, and says so at the end; and a proxy before it. */
async function setUp(options: TcpProxyOptions = {}) {
  const received: string[] = []
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    const index = received.push('') - 1
    socket.on('data', (chunk) => {
      received[index] = `${received[index]}${chunk}`
      socket.write(chunk)
    })
    socket.on('end', () => socket.end('|end')).on('error', () => {})
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const proxy = await startTcpProxy({ port: (server.address() as AddressInfo).port }, options)
  const end = async () => {
    await proxy.close()
    await once(server.close(), 'close')
  }
  return { proxy, received, [Symbol.asyncDispose]: end }
}

const open = ({ proxy }: { proxy: { host: string; port: number } }) =>
  connect({ host: proxy.host, port: proxy.port, allowHalfOpen: true })

it('forwards what each side says, and the end of it, and shows what the client says', async () => {
  let shown = 0
  await using set = await setUp({
    onData: (chunk) => {
      shown += chunk.length
    },
  })
  const socket = open(set)
  socket.end('x'.repeat(1_000_000))
  let heard = ''
  for await (const chunk of socket) heard += chunk
  expect(heard).toHaveLength(1_000_004)
  expect(heard.endsWith('x|end')).toBe(true)
  expect(shown).toBe(1_000_000)
  expect(set.proxy.connections).toBe(1)
})

it('delays each direction, and the set-up of the connection, and keeps the order', async () => {
  await using set = await setUp({ delayMs: 10 })
  const socket = open(set)
  const began = performance.now()
  socket.write('a')
  await once(socket, 'data')
  // Three ways for the set-up, one there and one back.
  expect(performance.now() - began).toBeGreaterThan(48)

  const again = performance.now()
  for (const letter of 'bcdefgh') socket.write(letter)
  socket.end()
  let heard = ''
  for await (const chunk of socket) heard += chunk
  expect(heard).toBe('bcdefgh|end')
  expect(performance.now() - again).toBeGreaterThan(18)
})

it('refuses, accepts without a word, and changes its mind', async () => {
  await using set = await setUp({ mode: 'refuse' })
  await expect(once(open(set), 'end')).rejects.toMatchObject({ code: 'ECONNRESET' })

  set.proxy.change({ mode: 'hold' })
  const held = open(set)
  held.write('hello')
  await once(held, 'connect')
  set.proxy.change({})
  const socket = open(set)
  socket.write('hello')
  await once(socket, 'data')
  // The later connection was served, the held one was not.
  expect(set.received).toEqual(['hello'])
  expect(held.bytesRead).toBe(0)
  expect(set.proxy.connections).toBe(3)
  await set.proxy.close()
  await once(held.resume(), 'end')
})

it('cuts the line after so many bytes', async () => {
  await using set = await setUp({ cutAfterBytes: 6 })
  const socket = open(set)
  socket.write('hello')
  await once(socket, 'data')
  socket.write(' world')
  await expect(once(socket, 'end')).rejects.toMatchObject({ code: 'ECONNRESET' })
  expect(set.received).toEqual(['hello '])
})

it('closes the client where the target is not there', async () => {
  const set = await setUp()
  await set[Symbol.asyncDispose]()
  await using proxy = await startTcpProxy({ port: set.proxy.port })
  const socket = open({ proxy })
  await once(socket.resume(), 'end')
  expect(socket.bytesRead).toBe(0)
})
