import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { type AddressInfo, connect, createServer } from 'node:net'
import { setTimeout } from 'node:timers/promises'
import type { Sink } from './start-sink.js'

/** A server that takes mail and forgets it, in a process of its own. */
export interface SmtpSink {
  readonly name: string
  readonly port: number
  stop(): void
}

const PROGRAM = '/usr/sbin/smtp-sink'
/** Postfix's generator of mails, which feeds the mail catchers. */
export const SMTP_SOURCE = '/usr/sbin/smtp-source'

/** Starts Postfix's smtp-sink (Debian: postfix); our own takes its place where it is missing. It has no TLS. */
export async function startSmtpSink(own: Sink): Promise<SmtpSink> {
  if (!existsSync(PROGRAM)) return { name: 'a sink of our own', port: own.near, stop: () => {} }
  const port = await freePort()
  const asRoot = process.getuid?.() === 0 ? ['-u', 'nobody'] : []
  const child = spawn(PROGRAM, ['-4', ...asRoot, `127.0.0.1:${port}`, '100'], { stdio: 'ignore' })
  await listening(port, child)
  return { name: 'smtp-sink', port, stop: () => child.kill() }
}

/** A port of the loopback interface that nobody uses now. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  await once(server.close(), 'close')
  return port
}

/** Waits until a program listens. */
export async function listening(port: number, child: ChildProcess): Promise<void> {
  for (;;) {
    if (child.exitCode !== null) throw new Error(`${child.spawnfile} ended with the code ${child.exitCode}`)
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
