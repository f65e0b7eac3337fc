import { webhookPayload } from '@postmark-smtp/sandbox'
import { createWebhookHandler, parseWebhook } from '@postmark-smtp/webhooks'
import { measure } from './measure.js'
import type { Section } from './section.js'

const BATCH = 200
const body = JSON.stringify(
  webhookPayload('Bounce', { Tag: 'welcome', Metadata: { 'correlation-id': 'c-1', 'order-id': '42' } }),
)
const authorization = `Basic ${Buffer.from('postmark:a-long-secret').toString('base64')}`
const request = () => new Request('http://127.0.0.1/', { method: 'POST', body, headers: { authorization } })

/** CPU time to read a webhook: JSON.parse only, the typed event, and the whole handler with its checks. */
export async function measureWebhooks(): Promise<Section> {
  const handle = createWebhookHandler({
    auth: { basic: { username: 'postmark', password: 'a-long-secret' } },
    on: { bounced: () => {} },
    dedupe: false,
  })
  const inBatches = (name: string, work: () => unknown) => ({
    name,
    send: async () => {
      for (let count = 0; count < BATCH; count++) await work()
    },
  })
  const contenders = [
    inBatches('Request and JSON.parse', async () => JSON.parse(await request().text())),
    inBatches('Request and parseWebhook', async () => parseWebhook(await request().text())),
    inBatches('createWebhookHandler', () => handle(request())),
    inBatches('Request and JSON.parse again', async () => JSON.parse(await request().text())),
  ]
  const results = await measure(contenders, { rounds: 15, perRound: 2, concurrency: 1, warmUp: 10 })
  const micros = results.map(({ cpuMicros }) => cpuMicros / BATCH)
  return {
    title: `Webhooks, CPU per POST of ${body.length} bytes: 15 rounds of ${2 * BATCH}`,
    headings: ['read by', 'CPU \u00b5s/POST', 'CPU vs. JSON.parse'],
    rows: results.map(({ name }, index) => [name, micros[index]!, micros[index]! / micros[0]!]),
    charts: [{ column: 2, better: 'lower' }],
  }
}
