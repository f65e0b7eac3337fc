export type { EnqueueEvent, JobEvent } from '@postmark-smtp/core/internal'
export type { LookUpOptions } from './look-up.js'
export { mailBackoff } from './mail-backoff.js'
export { type MailJob, type MailJobOptions, toMailJob } from './mail-job.js'
export {
  createMailProcessor,
  type MailJobResult,
  type MailProcessor,
  type MailProcessorOptions,
} from './mail-processor.js'
export {
  type AddMailOptions,
  createMailQueue,
  type MailJobQueue,
  type MailQueue,
  type MailQueueOptions,
  type MailToAdd,
} from './mail-queue.js'
export {
  type CloseMailWorkerOptions,
  createMailWorker,
  type MailWorker,
  type MailWorkerOptions,
} from './mail-worker.js'
export type { BrakedQueue } from './queue-brake.js'
