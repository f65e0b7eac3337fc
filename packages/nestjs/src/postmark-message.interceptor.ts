import type { CallHandler, ExecutionContext, NestInterceptor } from '@nestjs/common'
import { runWithPostmark } from '@postmark-smtp/core'
import type { Observable } from 'rxjs'
import { keepScope } from './keep-scope.js'
import type { PostmarkContextOptions } from './postmark-module-options.interface.js'

/** Opens a scope around the handlers of microservices and gateways; HTTP has one from before the guards. */
export class PostmarkMessageInterceptor implements NestInterceptor {
  constructor(private readonly read: PostmarkContextOptions['messageContext']) {}

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const { read } = this
    const type = context.getType<string>()
    if (read === undefined || (type !== 'rpc' && type !== 'ws')) return next.handle()
    return runWithPostmark(
      () => read(context),
      () => keepScope(next.handle()),
    )
  }
}
