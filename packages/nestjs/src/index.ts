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
export { InjectPostmark } from './inject-postmark.decorator.js'
export { PostmarkSmtpModule } from './postmark.module.js'
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
export { WithPostmark } from './with-postmark.decorator.js'
