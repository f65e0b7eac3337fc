import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { type AddressInfo, connect, createServer } from 'node:net'
import { setTimeout } from 'node:timers/promises'
import type { Sink } from './start-sink.js'

/** A server that takes emails and forgets them, in its own process. */
export interface SmtpSink {
  readonly name: string
  readonly port: number
  stop(): void
}

const PROGRAM = '/usr/sbin/smtp-sink'
/** Postfix's mail generator, which feeds the mail catchers. */
export const SMTP_SOURCE = '/usr/sbin/smtp-source'

/** Starts Postfix's smtp-sink (Debian: postfix), or our own sink if that is missing. It has no TLS. */
export async function startSmtpSink(own: Sink): Promise<SmtpSink> {
  if (!existsSync(PROGRAM)) return { name: 'our own sink', port: own.near, stop: () => {} }
  const port = await freePort()
  const asRoot = process.getuid?.() === 0 ? ['-u', 'nobody'] : []
  const child = spawn(PROGRAM, ['-4', ...asRoot, `127.0.0.1:${port}`, '100'], { stdio: 'ignore' })
  await listening(port, child)
  return { name: 'smtp-sink', port, stop: () => child.kill() }
}

/** Returns a free port of the loopback interface. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  await once(server.close(), 'close')
  return port
}

/** Resolves when a program listens; rejects if it exits. */
export async function listening(port: number, child: ChildProcess): Promise<void> {
  for (;;) {
    if (child.exitCode !== null) throw new Error(`${child.spawnfile} exited with code ${child.exitCode}`)
    const socket = connect(port, '127.0.0.1')
    const connected = await once(socket, 'connect').then(
      () => true,
      () => false,
    )
    socket.destroy()
    if (connected) return
    await setTimeout(20)
  }
}
