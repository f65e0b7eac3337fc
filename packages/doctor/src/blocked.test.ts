import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'
import { afterEach, expect, it, vi } from 'vitest'
import type { ExamineOptions, Finding } from './index.js'
import { collect } from './testing/collect.js'
import { type SetUp, startSetUp } from './testing/set-up.js'
import { startSilentPort } from './testing/silent-port.js'

const LIMIT_MS = 15_000
const STEP_MS = 250
const realTimeout = globalThis.setTimeout
afterEach(() => vi.useRealTimers())

/** Runs an examination on a clock that goes on by itself while nothing happens. @returns how long it took on that clock */
async function onDrivenClock(options: ExamineOptions): Promise<{ ms: number; findings: Finding[] }> {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
  let findings: Finding[] | undefined
  const work = collect(options).then((found) => {
    findings = found
  })
  let ms = 0
  for (; !findings && ms < 10 * LIMIT_MS; ms += STEP_MS) {
    // What the kernel has comes first.
    await new Promise((resolve) => realTimeout(resolve, 10))
    await vi.advanceTimersByTimeAsync(STEP_MS)
  }
  vi.useRealTimers()
  await work
  return { ms, findings: findings ?? [] }
}

/** A server that takes connections and says nothing. */
async function startMute() {
  const sockets = new Set<{ destroy(): void }>()
  const server = createServer((socket) => void sockets.add(socket.on('error', () => {}))).listen(
    0,
    '127.0.0.1',
  )
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    close: async () => {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

const never = () => new Promise<never>(() => {})

it.each<[string, SetUp, ExamineOptions, boolean]>([
  ['no name is found', {}, { lookup: never }, false],
  ['names are found, and a firewall drops everything else', {}, {}, true],
  ['a proxy takes every connection and says nothing', { smtp: { greeting: '' } }, {}, false],
  ['servers greet and say nothing more', { smtp: { ehlo: [] } }, {}, false],
  ['TLS is begun and never answered', { smtp: { hangsAtTls: true } }, {}, false],
])('needs less than 15 s on its clock where %s', async (_what, given, options, isDropped) => {
  const silent = isDropped ? await startSilentPort() : undefined
  const mute = await startMute()
  const setUp = await startSetUp({ ...given, dns: { isSilent: true } })
  const resolver = { resolve4: never, resolve6: never, resolveTxt: never, resolveCname: never }
  const { ms, findings } = await onDrivenClock({
    ...setUp.options,
    resolver,
    apiUrl: `http://127.0.0.1:${mute.port}`,
    ...(silent ? { ports: [silent.port, silent.port, silent.port] } : {}),
    patienceMs: undefined,
    ...options,
  })
  await setUp.close()
  await mute.close()
  await silent?.close()
  expect(ms).toBeLessThan(LIMIT_MS)
  expect(findings.some(({ level }) => level === 'fault')).toBe(true)
  // It came to its end by itself: no check was cut off.
  expect(findings.filter(({ text }) => text === 'the time limit was reached')).toEqual([])
})
