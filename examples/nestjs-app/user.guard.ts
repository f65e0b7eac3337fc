import { type CanActivate, type ExecutionContext, Injectable, UnauthorizedException } from '@nestjs/common'
import type { PostmarkRequest } from '@postmark-smtp/nestjs'

/** A request after {@link UserGuard}. */
export interface UserRequest extends PostmarkRequest {
  user?: { readonly id: string }
}

/** Takes the place of a real login: `Authorization: Bearer USER-ID`. */
@Injectable()
export class UserGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const request: UserRequest = context.switchToHttp().getRequest()
    const [, id] = /^Bearer (.+)$/.exec(request.headers.authorization ?? '') ?? []
    if (id === undefined) throw new UnauthorizedException()
    request.user = { id }
    return true
  }
}
