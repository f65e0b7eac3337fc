import { afterAll, afterEach, expect, it, vi } from 'vitest'
import { type Address, listAddresses } from './open-socket.js'

type Answer = (error: Error | null, addresses: readonly Address[]) => void
const dns = vi.hoisted(() => ({ answer: (_done: unknown) => {}, options: undefined as unknown }))

// The files of a worker share its modules: those that were loaded without the mock, and with it, are loaded anew.
vi.hoisted(() => vi.resetModules())
afterAll(() => vi.resetModules())
vi.mock('node:dns', () => ({
  lookup: (_host: string, options: object, done: unknown) => {
    dns.options = options
    dns.answer(done)
  },
}))

afterEach(() => {
  dns.options = undefined
})

function list(host: string, answer: (done: Answer) => void = () => {}) {
  dns.answer = answer as (done: unknown) => void
  const calls: unknown[] = []
  listAddresses(host, (error, addresses) =>
    calls.push(error?.message ?? addresses.map(({ address }) => address).join(' ')),
  )
  return calls
}

const addresses = (text: string) =>
  text.split(' ').map((address) => ({ address, family: address.includes(':') ? 6 : 4 }))

it.each([
  ['1.1.1.1', '1.1.1.1'],
  ['1.1.1.1 2.2.2.2 3.3.3.3', '1.1.1.1 2.2.2.2 3.3.3.3'],
  ['::1 ::2 1.1.1.1 2.2.2.2', '::1 1.1.1.1 ::2 2.2.2.2'],
  ['1.1.1.1 ::1 ::2 ::3', '1.1.1.1 ::1 ::2 ::3'],
  ['1.1.1.1 2.2.2.2 3.3.3.3 ::1', '1.1.1.1 ::1 2.2.2.2 3.3.3.3'],
])('lets the families of %j take turns, the first one first', (found, inTurns) => {
  expect(list('smtp.example.com', (done) => done(null, addresses(found)))).toEqual([inTurns])
  expect(dns.options).toEqual({ all: true, verbatim: true })
})

it.each(['127.0.0.1', '::1'])('asks nobody for the address %s', (host) => {
  expect([list(host), dns.options]).toEqual([[host], undefined])
})

it('says why a name has no address', () => {
  expect(list('x', (done) => done(new Error('getaddrinfo ENOTFOUND x'), []))).toEqual([
    'getaddrinfo ENOTFOUND x',
  ])
  expect(list('x', (done) => done(null, []))).toEqual(['x has no address'])
})
