export { PostmarkMailQueue } from './postmark-mail-queue.service.js'
export { PostmarkQueueModule } from './postmark-queue.module.js'
export type {
  PostmarkQueueExtras,
  PostmarkQueueModuleOptions,
  PostmarkQueueOptionsFactory,
} from './postmark-queue.module-definition.js'
