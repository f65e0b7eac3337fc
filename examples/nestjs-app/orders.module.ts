import { type DynamicModule, Module } from '@nestjs/common'
import { PostmarkQueueModule } from '@postmark-smtp/bullmq/nestjs'
import { OrderMails } from './order-mails.service.js'
import { OrdersController } from './orders.controller.js'

@Module({ controllers: [OrdersController], providers: [OrderMails] })
class OrdersModule {}

/** Orders, whose mails go into a queue on Redis. Another process sends them: see worker.ts. */
export function createOrdersModule(redisUrl: string): DynamicModule {
  const queue = PostmarkQueueModule.forRoot({ connection: { url: redisUrl }, correlationId: true })
  return { module: OrdersModule, imports: [queue] }
}
