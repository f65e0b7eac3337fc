import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { memoryInUse, size } from '@postmark-smtp/testing'
import { afterEach, expect, it } from 'vitest'
import { type Sandbox, startSandbox } from '../sandbox.js'

const MB = 1_000_000
const sockets: Socket[] = []
afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy()
})

/** A client that has said DATA. */
async function startMail({ port, host }: Sandbox) {
  const socket = connect({ port, host }).setEncoding('latin1')
  sockets.push(socket)
  socket.on('error', () => {})
  let heard = ''
  socket.on('data', (chunk) => {
    heard += chunk
  })
  const hears = async (pattern: RegExp) => {
    while (!pattern.test(heard)) await once(socket, 'data', { signal: AbortSignal.timeout(60_000) })
    const [match] = pattern.exec(heard)!
    heard = ''
    return match
  }
  await hears(/^220 /)
  socket.write('EHLO me\r\nMAIL FROM:<a@example.com>\r\nRCPT TO:<b@example.com>\r\nDATA\r\n')
  await hears(/^354 .*\r\n/m)
  const write = async (text: string | Buffer) => {
    if (!socket.write(text)) await once(socket, 'drain')
  }
  const end = (text = '\r\n.\r\n') => {
    socket.write(text)
    return hears(/^[25]\d\d .*\r\n/m)
  }
  return { socket, write, end }
}

const BLOCK = Buffer.from(`${'x'.repeat(998)}\r\n`.repeat(1000))

it('holds no more of unfinished emails than the cap, and refuses those beyond', async () => {
  const cap = size(100 * MB)
  await using sandbox = await startSandbox({ allowAnonymous: true, keep: { bytes: cap } })
  const before = await memoryInUse()
  const mails = await Promise.all(Array.from({ length: size(40) }, () => startMail(sandbox)))
  await Promise.all(
    mails.map(async ({ write }) => {
      await write('Subject: large\r\n\r\n')
      for (let sent = 0; sent < 19; sent++) await write(BLOCK)
    }),
  )
  const last = await startMail(sandbox)
  await last.write('Subject: one more\r\n\r\n')
  expect(await last.end()).toMatch(/^(250 .*queued|552 5\.3\.4 Error: too much mail is being received)/)
  // One email by itself may be larger than the cap of a short run.
  expect((await memoryInUse()) - before).toBeLessThan(Math.max(cap, 20 * MB) * 1.3 + 20 * MB)
  const [first, ...others] = mails
  for (const { socket } of others) socket.destroy()
  const replies = [await first!.end()]
  expect(replies[0]).toMatch(/^(250 .*queued|552 5\.3\.4)/)
  // What was held for those that went away is free again.
  const again = await startMail(sandbox)
  await again.write('Subject: again\r\n\r\n')
  expect(await again.end()).toMatch(/^250 .*queued/)
})

it('refuses an email whose header block is larger than a megabyte, or has more than ten thousand lines', async () => {
  await using sandbox = await startSandbox({ allowAnonymous: true })
  const before = await memoryInUse()
  for (const [line, bytes] of [
    ['a:\r\n', size(20 * MB)],
    [`X-Long: ${'x'.repeat(900)}\r\n`, 1_100_000],
    ['a:\r\n', 44_000],
  ] as const) {
    const { write, end } = await startMail(sandbox)
    await write(line.repeat(bytes / line.length))
    expect(await end('\r\nHi\r\n.\r\n')).toMatch(/^552 5\.3\.4 Error: message header too big/)
  }
  expect(sandbox.outbox).toEqual([])
  const { write, end } = await startMail(sandbox)
  await write('a:\r\n'.repeat(9000))
  expect(await end('\r\nHi\r\n.\r\n')).toMatch(/^250 /)
  expect((await memoryInUse()) - before).toBeLessThan(20 * MB)
})

it('counts what an email takes in memory, not only its bytes', async () => {
  const cap = size(100 * MB)
  await using sandbox = await startSandbox({ allowAnonymous: true, keep: { bytes: cap } })
  const before = await memoryInUse()
  for (let sent = 0; sent < size(500); sent++) {
    const { socket, write, end } = await startMail(sandbox)
    await write('X-PM-A: 1\r\n'.repeat(3000))
    expect(await end('\r\nHi\r\n.\r\n')).toMatch(/^250 /)
    socket.destroy()
  }
  expect((await memoryInUse()) - before).toBeLessThan(cap * 1.3 + 10 * MB)
})

it('counts an email that comes byte by byte for what it takes', async () => {
  await using sandbox = await startSandbox({ allowAnonymous: true, keep: { bytes: size(20 * MB) } })
  const before = await memoryInUse()
  const mails = [await startMail(sandbox), await startMail(sandbox)]
  // Each line is a chunk of its own to smtp-server, which takes its first dot away.
  for (const { write } of mails)
    for (let sent = 0; sent < 20; sent++) await write('..\r\n'.repeat(size(50_000)))
  expect((await memoryInUse()) - before).toBeLessThan(size(20 * MB) * 2 + 20 * MB)
})
