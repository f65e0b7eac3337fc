export {
  currentPostmark,
  isPostmarkError,
  type ParsedPostmarkFields,
  PostmarkError,
  type PostmarkFields,
  type PostmarkProblem,
  type PostmarkSentInfo,
  type PostmarkTransporter,
  runWithPostmark,
  updatePostmark,
} from '@postmark-smtp/core'
export type {
  RejectedEvent,
  WebhookEvent,
  WebhookEventKind,
  WebhookHandlers,
} from '@postmark-smtp/webhooks'
export { InjectPostmark } from './inject-postmark.decorator.js'
export { PostmarkSmtpModule } from './postmark.module.js'
export { PostmarkEvents } from './postmark-events.service.js'
export { PostmarkMailer } from './postmark-mailer.service.js'
export { PostmarkMessageInterceptor } from './postmark-message.interceptor.js'
export type {
  PostmarkContextOptions,
  PostmarkModuleExtras,
  PostmarkModuleOptions,
  PostmarkOptionsFactory,
  PostmarkRequest,
} from './postmark-module-options.interface.js'
export { getPostmarkToken } from './postmark-token.js'
export { PostmarkWebhooksModule } from './postmark-webhooks.module.js'
export type {
  PostmarkWebhooksExtras,
  PostmarkWebhooksOptions,
  PostmarkWebhooksOptionsFactory,
} from './postmark-webhooks.module-definition.js'
export { WithPostmark } from './with-postmark.decorator.js'
