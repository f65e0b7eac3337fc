import { type DynamicModule, Module } from '@nestjs/common'
import { APP_FILTER } from '@nestjs/core'
import { PostmarkSmtpModule } from '@postmark-smtp/nestjs'
import { PostmarkErrorFilter } from './postmark-error.filter.js'
import { SignupController } from './signup.controller.js'
import { SignupMails } from './signup-mails.service.js'
import type { UserRequest } from './user.guard.js'

/** The fields of every mail below a request; the guard's user is there, since this runs when a mail is sent. */
const context = ({ headers, user }: UserRequest) => ({
  metadata: {
    tenant: String(headers['x-tenant'] ?? 'none'),
    'request-id': headers['x-request-id'] === undefined ? null : String(headers['x-request-id']),
    'user-id': user?.id,
  },
})

@Module({
  controllers: [SignupController],
  providers: [SignupMails, { provide: APP_FILTER, useClass: PostmarkErrorFilter }],
})
class AppModule {}

/** @param url postmark+smtp://SERVER-API-TOKEN@default in production, `sandbox.url` on your machine */
export function createAppModule(url: string): DynamicModule {
  return { module: AppModule, imports: [PostmarkSmtpModule.forRoot({ url, context })] }
}
