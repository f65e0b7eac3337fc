import { Inject, Injectable } from '@nestjs/common'
import { PostmarkMailQueue } from '@postmark-smtp/bullmq/nestjs'

/** Adds emails to the queue, each with the tag and the metadata of its request. */
@Injectable()
export class OrderMails {
  constructor(@Inject(PostmarkMailQueue) private readonly mails: PostmarkMailQueue) {}

  /** A customer who clicks twice gets only one receipt. */
  async receipt(id: string, to: string): Promise<void> {
    const message = { from: 'shop@example.com', to, subject: `Receipt ${id}`, text: 'Thank you' }
    await this.mails.add(message, { idempotencyKey: `receipt-${id}` })
  }
}
