import { type DynamicModule, Module } from '@nestjs/common'
import { PostmarkSmtpModule } from '@postmark-smtp/nestjs'
import { AppController } from './app.controller'

@Module({ controllers: [AppController] })
class AppModule {}

export function createAppModule(url: string): DynamicModule {
  const mail = PostmarkSmtpModule.forRoot({
    url,
    context: (request) => ({ metadata: { tenant: String(request.headers['x-tenant']) } }),
  })
  return { module: AppModule, imports: [mail] }
}
