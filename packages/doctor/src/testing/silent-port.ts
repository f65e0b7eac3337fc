import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect } from 'node:net'

const LISTEN = `require('net').createServer().listen({ port: 0, host: '127.0.0.1', backlog: 1 }, function () {
  process.stdout.write(String(this.address().port))
})`

/**
 * A port that answers nothing, as behind a firewall that drops what is sent there: its process is stopped, and its
 * queue of connections is full.
 */
export async function startSilentPort(): Promise<{ readonly port: number; close(): Promise<void> }> {
  const child = spawn(process.execPath, ['-e', LISTEN], { stdio: ['ignore', 'pipe', 'ignore'] })
  const [data] = (await once(child.stdout, 'data')) as [Buffer]
  child.kill('SIGSTOP')
  const port = Number(data.toString())
  const filling = Array.from({ length: 16 }, () => connect(port, '127.0.0.1').on('error', () => {}))
  // The first one has been taken into the queue, and the others, which were begun in the same tick, after it.
  await once(filling[0]!, 'connect')
  return {
    port,
    close: async () => {
      for (const socket of filling) socket.destroy()
      child.kill('SIGKILL')
      await once(child, 'close')
    },
  }
}
