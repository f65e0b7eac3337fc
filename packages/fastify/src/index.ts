export {
  capturePostmark,
  currentPostmark,
  isPostmarkError,
  type ParsedPostmarkFields,
  PostmarkError,
  type PostmarkFields,
  type PostmarkProblem,
  runWithPostmark,
  updatePostmark,
} from '@postmark-smtp/core/pure'
export type { WebhookEvent, WebhookHandlerOptions } from '@postmark-smtp/webhooks'
export { type PostmarkContextOptions, postmarkContext } from './postmark-context.js'
export { type PostmarkWebhooksOptions, postmarkWebhooks } from './postmark-webhooks.js'
