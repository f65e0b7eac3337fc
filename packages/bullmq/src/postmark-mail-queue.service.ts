import { Inject, Injectable } from '@nestjs/common'
import type { Job } from 'bullmq'
import type { SendMailOptions } from 'nodemailer'
import type { MailJob } from './mail-job.js'
import type { MailJobResult } from './mail-processor.js'
import {
  type AddMailOptions,
  createMailQueue,
  type MailJobQueue,
  type MailQueue,
  type MailToAdd,
} from './mail-queue.js'
import {
  POSTMARK_QUEUE_OPTIONS,
  type PostmarkQueueModuleOptions,
} from './postmark-queue.module-definition.js'

/**
 * Adds mail to the queue, with the fields of the current request.
 * @example constructor(private readonly mails: PostmarkMailQueue) {}
 */
@Injectable()
export class PostmarkMailQueue implements MailQueue {
  private readonly mails: MailQueue

  constructor(@Inject(POSTMARK_QUEUE_OPTIONS) options: PostmarkQueueModuleOptions) {
    const { worker: _worker, closeMs: _closeMs, ...rest } = options
    this.mails = createMailQueue(rest)
  }

  /** BullMQ’s own Queue, for counts, events and removal. */
  get queue(): MailJobQueue {
    return this.mails.queue
  }

  /**
   * Adds an email to the queue.
   * @example await this.mails.add(message, { idempotencyKey: `receipt-${order.id}` })
   * @throws PostmarkError ERR_POSTMARK_JOB, ERR_POSTMARK_OPTIONS
   */
  add(message: SendMailOptions, options?: AddMailOptions): Promise<Job<MailJob, MailJobResult, string>> {
    return this.mails.add(message, options)
  }

  /** Adds many emails to the queue in one step: all of them, or none. */
  addBulk(mails: readonly MailToAdd[]): Promise<Job<MailJob, MailJobResult, string>[]> {
    return this.mails.addBulk(mails)
  }

  /** Called by the module when the application shuts down. */
  close(): Promise<void> {
    return this.mails.close()
  }
}
