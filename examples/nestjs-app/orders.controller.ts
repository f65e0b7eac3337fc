import { Body, Controller, HttpCode, Inject, Param, Post } from '@nestjs/common'
import { WithPostmark } from '@postmark-smtp/nestjs'
import { OrderMails } from './order-mails.service.js'

@Controller('orders')
export class OrdersController {
  constructor(@Inject(OrderMails) private readonly mails: OrderMails) {}

  /** Answers as soon as the email is in the queue. */
  @Post(':id')
  @HttpCode(202)
  @WithPostmark({ tag: 'receipt' })
  order(@Param('id') id: string, @Body() { email }: { email: string }): Promise<void> {
    return this.mails.receipt(id, email)
  }
}
