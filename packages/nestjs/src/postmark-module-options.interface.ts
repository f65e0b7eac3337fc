import type { IncomingHttpHeaders } from 'node:http'
import type { ExecutionContext } from '@nestjs/common'
import type { PostmarkFields, PostmarkTransportOptions } from '@postmark-smtp/core'

/** What the requests of Express and of Fastify have in common. Annotate the parameter with your own type to see more. */
export interface PostmarkRequest {
  readonly headers: IncomingHttpHeaders
  readonly method: string
  readonly url: string
}

/** Where the fields of a request or a message come from. */
export interface PostmarkContextOptions {
  /**
   * The fields of mails sent below an HTTP request, GraphQL included. Called when a mail is sent, once per mail, with
   * the request that guards see: a user that a guard sets is there. One that throws stops no mail.
   * @example (request: Request) => ({ metadata: { 'user-id': request.user?.id } })
   */
  context?(request: PostmarkRequest): PostmarkFields | null | undefined
  /**
   * The fields of mails sent below the handler of a microservice or a gateway. Called when a mail is sent.
   * @example (context) => ({ metadata: { tenant: context.switchToRpc().getData().tenant } })
   */
  messageContext?(context: ExecutionContext): PostmarkFields | null | undefined
}

/** What `PostmarkSmtpModule.forRoot` takes: the options of `createPostmarkTransport`, `url` among them. */
export type PostmarkModuleOptions = PostmarkContextOptions & PostmarkTransportOptions

/** What `forRoot` and `forRootAsync` take besides the options. */
export interface PostmarkModuleExtras {
  /** Tells several modules apart: inject with `@InjectPostmark(name)`. */
  readonly name?: string | undefined
  /** Whether other modules may inject without importing this one. Default false. */
  readonly isGlobal?: boolean | undefined
}

/** What a class for `forRootAsync({ useClass })` or `useExisting` implements. */
export interface PostmarkOptionsFactory {
  createPostmarkOptions(): PostmarkModuleOptions | Promise<PostmarkModuleOptions>
}
