import { type ArgumentsHost, Catch, type ExceptionFilter, Inject } from '@nestjs/common'
import { HttpAdapterHost } from '@nestjs/core'
import { PostmarkError } from '@postmark-smtp/nestjs'

/** The errors that are the client's fault: a mail that Postmark would have bounced later, and an address that it knows. */
const REFUSALS: readonly string[] = ['ERR_POSTMARK_PREFLIGHT', 'ERR_POSTMARK_SUPPRESSED']

/** Answers the client with what was wrong with its mail; other errors of the transport are 503. */
@Catch(PostmarkError)
export class PostmarkErrorFilter implements ExceptionFilter<PostmarkError> {
  constructor(@Inject(HttpAdapterHost) private readonly host: HttpAdapterHost) {}

  catch({ code, problems }: PostmarkError, host: ArgumentsHost): void {
    const status = REFUSALS.includes(code) ? 422 : 503
    const body = { code, problems: problems.map(({ path, limit }) => ({ path, limit })) }
    this.host.httpAdapter.reply(host.switchToHttp().getResponse(), body, status)
  }
}
