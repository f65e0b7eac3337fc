import type { IncomingHttpHeaders } from 'node:http'
import type { ExecutionContext } from '@nestjs/common'
import type { PostmarkFields, PostmarkTransportOptions } from '@postmark-smtp/core'

/** The properties that requests of Express and Fastify share. Annotate the parameter with your own type for more. */
export interface PostmarkRequest {
  readonly headers: IncomingHttpHeaders
  readonly method: string
  readonly url: string
}

/** The functions that return the fields of a request or a message. */
export interface PostmarkContextOptions {
  /**
   * Returns the fields of emails sent during an HTTP request, including GraphQL. Called once per email, when the email is
   * sent, with the request that guards see, so a user set by a guard is there. If it throws, the email is sent anyway.
   * @example (request: Request) => ({ metadata: { 'user-id': request.user?.id } })
   */
  context?(request: PostmarkRequest): PostmarkFields | null | undefined
  /**
   * Returns the fields of emails sent by a handler of a microservice or a gateway. Called when an email is sent.
   * @example (context) => ({ metadata: { tenant: context.switchToRpc().getData().tenant } })
   */
  messageContext?(context: ExecutionContext): PostmarkFields | null | undefined
}

/** The options of `PostmarkSmtpModule.forRoot`, which include those of `createPostmarkTransport`, such as `url`. */
export type PostmarkModuleOptions = PostmarkContextOptions & PostmarkTransportOptions

/** Properties that `forRoot` and `forRootAsync` accept in addition to the options. */
export interface PostmarkModuleExtras {
  /** Distinguishes several modules. Inject with `@InjectPostmark(name)`. */
  readonly name?: string | undefined
  /** Whether other modules may inject its providers without importing this one. Default false. */
  readonly isGlobal?: boolean | undefined
}

/** The interface of a class for `forRootAsync({ useClass })` or `useExisting`. */
export interface PostmarkOptionsFactory {
  createPostmarkOptions(): PostmarkModuleOptions | Promise<PostmarkModuleOptions>
}
