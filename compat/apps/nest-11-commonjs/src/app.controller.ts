import { Controller, Post } from '@nestjs/common'
import { PostmarkMailer, WithPostmark } from '@postmark-smtp/nestjs'

@Controller()
export class AppController {
  constructor(private readonly mailer: PostmarkMailer) {}

  @Post('signup')
  @WithPostmark({ tag: 'signup' })
  async signup(): Promise<void> {
    await this.mailer.send({ from: 'shop@example.com', to: 'ann@example.com', subject: 'Hi', text: 'Hi' })
  }
}
