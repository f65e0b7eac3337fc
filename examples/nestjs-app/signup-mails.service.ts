import { Inject, Injectable } from '@nestjs/common'
import { PostmarkMailer, WithPostmark } from '@postmark-smtp/nestjs'

const from = 'shop@example.com'

/** Sends emails. It knows nothing about tenants, users and requests. */
@Injectable()
export class SignupMails {
  constructor(@Inject(PostmarkMailer) private readonly mailer: PostmarkMailer) {}

  async welcome(to: string): Promise<void> {
    await this.mailer.send({ from, to, subject: 'Welcome', text: 'Hello' })
  }

  async invite(to: string, note: string): Promise<void> {
    await this.mailer.send({ from, to, subject: 'Invitation', text: note, postmark: { metadata: { note } } })
  }

  @WithPostmark({ messageStream: 'broadcast', tag: 'newsletter' })
  async newsletter(to: string): Promise<void> {
    await this.mailer.send({ from, to, subject: 'News', text: 'News of this month' })
  }
}
