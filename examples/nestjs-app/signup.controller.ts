import { Body, Controller, Inject, Post, UseGuards } from '@nestjs/common'
import { WithPostmark } from '@postmark-smtp/nestjs'
import { SignupMails } from './signup-mails.service.js'
import { UserGuard } from './user.guard.js'

@Controller()
export class SignupController {
  constructor(@Inject(SignupMails) private readonly mails: SignupMails) {}

  @Post('signup')
  @WithPostmark({ tag: 'signup' })
  signup(@Body() { email }: { email: string }): Promise<void> {
    return this.mails.welcome(email)
  }

  @Post('invite')
  @UseGuards(UserGuard)
  @WithPostmark({ tag: 'invite' })
  invite(@Body() { email, note }: { email: string; note: string }): Promise<void> {
    return this.mails.invite(email, note)
  }

  @Post('newsletter')
  @UseGuards(UserGuard)
  newsletter(@Body() { email }: { email: string }): Promise<void> {
    return this.mails.newsletter(email)
  }
}
