import type { ServerFact } from './server/journal.js'
import type { PostmarkServer } from './server/postmark-server.js'
import type { DataDirectory } from './store/data-directory.js'
import type { WebhookFact, WebhookSender } from './webhooks/webhook-sender.js'

/**
 * Restores a sandbox from a directory, and writes there what happens from now on.
 * @returns what could not be read, one sentence each
 * @throws PostmarkError ERR_POSTMARK_OPTIONS if another version wrote it
 */
export function keepData(data: DataDirectory, server: PostmarkServer, webhooks: WebhookSender): string[] {
  const lost: string[] = []
  const problems = data.load({
    restore({ fact, body }) {
      const known = fact as ServerFact | WebhookFact
      if (known.kind !== 'webhook' && known.kind !== 'webhook-removed') return server.restore(known, body)
      try {
        webhooks.restore(known)
      } catch (error) {
        lost.push(`Webhook ${known.id} was not restored: ${(error as Error).message}`)
      }
    },
    *snapshot() {
      yield* server.facts()
      for (const fact of webhooks.facts()) yield { fact }
    },
  })
  return [...problems, ...lost]
}
