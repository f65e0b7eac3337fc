import { Inject, Injectable } from '@nestjs/common'
import { MailerService } from '@nestjs-modules/mailer'
import { WithPostmark } from '@postmark-smtp/nestjs'

/** Uses only @nestjs-modules/mailer, so it is the same for both modules. */
@Injectable()
export class Receipts {
  constructor(@Inject(MailerService) private readonly mailer: MailerService) {}

  /** @returns the result of sendMail; with our transporter, it has `postmark` */
  @WithPostmark({ tag: 'receipt' })
  async send(order: string): Promise<object> {
    return this.mailer.sendMail({
      from: 'shop@example.com',
      to: 'ann@example.com',
      subject: `Order ${order}`,
      text: 'Thank you.',
      postmark: { metadata: { order } },
    })
  }
}
