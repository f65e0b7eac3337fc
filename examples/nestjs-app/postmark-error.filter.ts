import { type ArgumentsHost, Catch, type ExceptionFilter, Inject } from '@nestjs/common'
import { HttpAdapterHost } from '@nestjs/core'
import { PostmarkError } from '@postmark-smtp/nestjs'

/** Errors that the client caused: an email that Postmark would bounce later, or an address known to be suppressed. */
const REFUSALS: readonly string[] = ['ERR_POSTMARK_PREFLIGHT', 'ERR_POSTMARK_SUPPRESSED']

/** Responds with what was wrong with the email. For any other error of the transport, the response is 503. */
@Catch(PostmarkError)
export class PostmarkErrorFilter implements ExceptionFilter<PostmarkError> {
  constructor(@Inject(HttpAdapterHost) private readonly host: HttpAdapterHost) {}

  catch({ code, problems }: PostmarkError, host: ArgumentsHost): void {
    const status = REFUSALS.includes(code) ? 422 : 503
    const body = { code, problems: problems.map(({ path, limit }) => ({ path, limit })) }
    this.host.httpAdapter.reply(host.switchToHttp().getResponse(), body, status)
  }
}
