import { Inject, Injectable } from '@nestjs/common'
import { MailerService } from '@nestjs-modules/mailer'
import { WithPostmark } from '@postmark-smtp/nestjs'

/** Code that knows @nestjs-modules/mailer: it is the same with each of the two modules. */
@Injectable()
export class Receipts {
  constructor(@Inject(MailerService) private readonly mailer: MailerService) {}

  /** @returns what sendMail told; with our transporter also `postmark` */
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
