import { type DynamicModule, Module } from '@nestjs/common'
import { PostmarkQueueModule } from '@postmark-smtp/bullmq/nestjs'
import { OrderMails } from './order-mails.service.js'
import { OrdersController } from './orders.controller.js'

@Module({ controllers: [OrdersController], providers: [OrderMails] })
class OrdersModule {}

/** Creates the module for orders. Their emails go to a queue on Redis, and another process sends them: see worker.ts. */
export function createOrdersModule(redisUrl: string): DynamicModule {
  const queue = PostmarkQueueModule.forRoot({ connection: { url: redisUrl }, correlationId: true })
  return { module: OrdersModule, imports: [queue] }
}
