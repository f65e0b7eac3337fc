import { once } from 'node:events'
import { createServer, type Server } from 'node:net'
import { expect, it } from 'vitest'
import { startOnFreePort } from './free-port.js'

it('starts a server again on another port where somebody has taken the first one', async () => {
  let intruder: Server | undefined
  const ports: number[] = []
  const server = await startOnFreePort(async (port) => {
    ports.push(port)
    if (!intruder) {
      intruder = createServer().listen(port, '127.0.0.1')
      await once(intruder, 'listening')
    }
    const own = createServer().listen(port, '127.0.0.1')
    await once(own, 'listening')
    return own
  })
  expect(ports).toHaveLength(2)
  expect(server.address()).toMatchObject({ port: ports[1] })
  server.close()
  intruder?.close()
})

it('fails with what the server says where it does not come up on any port', async () => {
  let trials = 0
  const start = () => {
    trials++
    return Promise.reject(new Error(`It ended (${trials})`))
  }
  await expect(startOnFreePort(start)).rejects.toThrow('It ended (3)')
})
