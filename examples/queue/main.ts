import { spawn } from 'node:child_process'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { createMailQueue } from '@postmark-smtp/bullmq'
import { startSandbox } from '@postmark-smtp/sandbox'
import { redisMissing, startRedis } from '@postmark-smtp/testing'
import { createApp } from './app.js'
import { startWorker, type WorkerSettings } from './worker.js'

/** Starts a worker in a separate process and returns a function that ends it. */
function startProcess({
  redisUrl,
  postmarkUrl,
  serverToken,
  apiHost,
}: WorkerSettings): () => Promise<unknown> {
  const settings = { REDIS_URL: redisUrl, POSTMARK_URL: postmarkUrl, POSTMARK_SERVER_TOKEN: serverToken }
  const child = spawn(process.execPath, [fileURLToPath(new URL('./worker-process.js', import.meta.url))], {
    env: { ...process.env, ...settings, POSTMARK_API_HOST: apiHost },
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  const ended = once(child, 'exit')
  return async () => {
    child.kill()
    await ended
  }
}

/** The tests load the TypeScript sources, which Node cannot run as a process. */
const start = import.meta.url.endsWith('.ts')
  ? (settings: WorkerSettings) => startWorker(settings).close
  : startProcess

/**
 * Starts Redis, a local Postmark, the application and a worker. Places three orders, one of them twice, and prints the
 * responses and the emails that arrived. Without Redis, it says so.
 */
export async function main(print: (line: string) => void): Promise<void> {
  const missing = redisMissing()
  if (missing !== undefined) {
    print(`The queue is skipped. ${missing}`)
    return
  }
  await using redis = await startRedis()
  await using sandbox = await startSandbox()
  const mails = createMailQueue({ connection: { url: redis.path }, correlationId: true })
  const server = createApp(mails).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const order = async (id: string, tenant: string) => {
    const url = `http://127.0.0.1:${port}/orders/${id}`
    const { status } = await fetch(url, { method: 'POST', headers: { 'x-tenant': tenant } })
    print(`POST /orders/${id} for ${tenant}: ${status}`)
  }
  await order('1', 'acme')
  await order('2', 'umbrella')
  await order('2', 'umbrella')
  await order('3', 'acme')
  print(`${await mails.queue.getWaitingCount()} emails are waiting in the queue. Starting a worker.`)

  const { url: postmarkUrl, token: serverToken, apiHost } = sandbox
  const close = start({ redisUrl: redis.path, postmarkUrl, serverToken, apiHost })
  for (const id of ['1', '2', '3']) await sandbox.waitFor({ subject: `Receipt ${id}` }, { timeoutMs: 60_000 })
  await close()
  for (const { subject, postmark } of sandbox.outbox)
    print(`Received: ${subject}, tag ${postmark.tag}, tenant ${postmark.metadata?.tenant}`)
  server.close()
  await mails.close()
}
