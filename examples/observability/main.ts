import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { InMemorySpanExporter } from '@opentelemetry/sdk-trace-base'
import { createMailQueue } from '@postmark-smtp/bullmq'
import { createPostmarkTransport } from '@postmark-smtp/core'
import { startSandbox } from '@postmark-smtp/sandbox'
import { redisMissing, startRedis } from '@postmark-smtp/testing'
import { pino } from 'pino'
import { createApp } from './app.js'
import { logMails } from './mail-log.js'
import { toTree } from './span-tree.js'
import { startTelemetry } from './telemetry.js'
import { startWorker } from './worker.js'

const webhookLogin = { username: 'postmark', password: 'webhook-5e7a9c1b' }

/**
 * Starts Redis, a local Postmark, the application and its worker. Signs up, places an order, lets both emails be delivered,
 * and prints the log, the spans, and what Prometheus reads. Without Redis, it says so.
 */
export async function main(print: (line: string) => void): Promise<void> {
  const missing = redisMissing()
  if (missing !== undefined) {
    print(`Observability is skipped. ${missing}`)
    return
  }
  const exporter = new InMemorySpanExporter()
  await using telemetry = startTelemetry(exporter)
  const stopLog = logMails(pino({ base: null, timestamp: false }, { write: (line) => print(line.trimEnd()) }))
  await using redis = await startRedis()
  await using sandbox = await startSandbox()
  const transporter = createPostmarkTransport({ url: sandbox.url, correlationId: true })
  const mails = createMailQueue({ connection: { url: redis.path } })
  const worker = startWorker(redis.path, sandbox.url)
  const server = createApp({ telemetry, mails, transporter, webhookLogin }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const triggers = { Delivery: true }
  sandbox.addWebhook({ url: `${url}/webhooks/postmark`, basicAuth: webhookLogin, triggers })

  const completed = once(worker.worker, 'completed')
  for (const path of ['/signup', '/orders/1']) await (await fetch(url + path, { method: 'POST' })).text()
  await completed
  // Postmark reports by webhook that both were delivered.
  await sandbox.advance(0)
  const page = await (await fetch(`${url}/metrics`)).text()

  for (const line of toTree(exporter.getFinishedSpans())) print(line)
  for (const line of page.split('\n')) if (/^(messaging|postmark)_.*(?<!_bucket)\{/.test(line)) print(line)
  stopLog()
  await worker.close()
  await mails.close()
  await transporter.close()
  server.closeAllConnections()
  server.close()
}

if (process.argv[1] === import.meta.filename) await main(console.log)
