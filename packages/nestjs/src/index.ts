export {
  type CloseOptions,
  type CompileOptions,
  capturePostmark,
  createSuppressionList,
  currentPostmark,
  type DeliveryFailure,
  type DeliveryOutcome,
  deliveryOutcome,
  explainSmtpError,
  isDeliveryFailure,
  isPostmarkError,
  type ParsedPostmarkFields,
  PostmarkError,
  type PostmarkErrorCode,
  type PostmarkFields,
  type PostmarkInfo,
  type PostmarkProblem,
  type PostmarkSentInfo,
  type PostmarkTransporter,
  type PostmarkTransportOptions,
  runWithPostmark,
  type SmtpExplanation,
  type StreamOptions,
  type Suppression,
  type SuppressionFinder,
  type SuppressionList,
  type SuppressionStore,
  updatePostmark,
} from '@postmark-smtp/core'
export {
  type BouncedEvent,
  type ClickedEvent,
  type ComplainedEvent,
  createMemoryDedupe,
  type DedupeStore,
  type DeliveredEvent,
  type InboundEvent,
  type OpenedEvent,
  type RejectedEvent,
  type ResubscribedEvent,
  suppressFrom,
  type UnknownEvent,
  type UnsubscribedEvent,
  type WebhookAuth,
  type WebhookEvent,
  type WebhookEventKind,
  type WebhookHandlerOptions,
  type WebhookHandlers,
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
