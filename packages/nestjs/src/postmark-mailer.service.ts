import { Inject, Injectable } from '@nestjs/common'
import type { CloseOptions, PostmarkSentInfo, PostmarkTransporter } from '@postmark-smtp/core'
import type { SendMailOptions } from 'nodemailer'
import { getPostmarkToken } from './postmark-token.js'

/** Sends mail through the `PostmarkSmtpModule` that has no name. */
@Injectable()
export class PostmarkMailer {
  constructor(@Inject(getPostmarkToken()) private readonly transporter: PostmarkTransporter) {}

  /**
   * Sends an email with the fields of the request, of `@WithPostmark` and of `message.postmark`.
   * @example await mailer.send({ from, to, subject, text, postmark: { tag: 'welcome' } })
   * @throws PostmarkError ERR_POSTMARK_PREFLIGHT, ERR_POSTMARK_CLOSED
   */
  send(message: SendMailOptions): Promise<PostmarkSentInfo> {
    return this.transporter.sendMail(message)
  }

  /** Logs in once with each host and token of the options. */
  async verify(): Promise<void> {
    await this.transporter.verify()
  }

  /** Waits for emails in progress, then closes every connection. The module calls it when the application shuts down. */
  close(options?: CloseOptions): Promise<void> {
    return this.transporter.close(options)
  }
}
