import {
  type CallHandler,
  type ExecutionContext,
  Inject,
  Injectable,
  type NestInterceptor,
} from '@nestjs/common'
import { runWithPostmark } from '@postmark-smtp/core'
import type { Observable } from 'rxjs'
import { keepScope } from './keep-scope.js'
import { POSTMARK_OPTIONS } from './postmark.module-definition.js'
import type { PostmarkContextOptions } from './postmark-module-options.interface.js'

/**
 * Opens a scope with `messageContext` around the handlers of microservices and gateways. The module registers it for the
 * whole application. Nest 11 does not apply global interceptors to gateways, so add it to them explicitly.
 * @example @UseInterceptors(PostmarkMessageInterceptor) @WebSocketGateway() class OrderGateway {}
 */
@Injectable()
export class PostmarkMessageInterceptor implements NestInterceptor {
  constructor(@Inject(POSTMARK_OPTIONS) private readonly options: PostmarkContextOptions) {}

  /** Called by Nest, around each handler. */
  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const { messageContext } = this.options
    const type = context.getType<string>()
    // An HTTP request already has a scope, opened before the guards.
    if (messageContext === undefined || (type !== 'rpc' && type !== 'ws')) return next.handle()
    return runWithPostmark(
      () => messageContext(context),
      () => keepScope(next.handle()),
    )
  }
}
