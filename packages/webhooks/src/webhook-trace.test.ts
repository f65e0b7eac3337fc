import { AsyncLocalStorage } from 'node:async_hooks'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { TracedWork } from '@postmark-smtp/core/internal'
import { webhookPayload } from '@postmark-smtp/sandbox'
import { expect, it } from 'vitest'
import { createWebhookHandler, type WebhookTrace } from './index.js'

const TRACEPARENT = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'

it('the handling of an event is published without an address, a subject or a text, and can be run in a context', async () => {
  const storage = new AsyncLocalStorage<string>()
  const told: WebhookTrace[] = []
  const onStart = (event: unknown) => (event as TracedWork).runIn((work) => storage.run('span', work))
  const onEnd = (event: unknown) => void told.push({ ...(event as WebhookTrace) })
  subscribe('tracing:postmark-smtp:webhook:start', onStart)
  subscribe('tracing:postmark-smtp:webhook:asyncEnd', onEnd)
  try {
    const seen: (string | undefined)[] = []
    const handle = createWebhookHandler({
      auth: { basic: { username: 'postmark', password: 'a-long-secret' } },
      onError: () => {},
      on: {
        bounced: () => void seen.push(storage.getStore()),
        opened: () => {
          throw new Error('ann@example.com')
        },
      },
    })
    const metadata = { traceparent: TRACEPARENT, 'correlation-id': 'c-1' }
    const post = async (type: 'Bounce' | 'Open') => {
      const body = JSON.stringify(webhookPayload(type, { Tag: 'welcome', Metadata: metadata }))
      const authorization = `Basic ${btoa('postmark:a-long-secret')}`
      await handle(new Request('http://127.0.0.1/', { method: 'POST', body, headers: { authorization } }))
    }
    await post('Bounce')
    await post('Bounce')
    await post('Open')
    expect(seen).toEqual(['span'])
    const common = { tag: 'welcome', traceparent: TRACEPARENT, correlationId: 'c-1' }
    expect(told).toEqual([
      expect.objectContaining({ kind: 'bounced', bounceType: 'HardBounce', outcome: 'handled', ...common }),
      expect.objectContaining({ kind: 'bounced', outcome: 'duplicate', ...common }),
      expect.objectContaining({ kind: 'opened', outcome: 'failed', ...common }),
    ])
    expect(JSON.stringify(told)).not.toMatch(/@example|subject|smtp;/i)
  } finally {
    unsubscribe('tracing:postmark-smtp:webhook:start', onStart)
    unsubscribe('tracing:postmark-smtp:webhook:asyncEnd', onEnd)
  }
})
