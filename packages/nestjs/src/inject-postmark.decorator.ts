import { Inject } from '@nestjs/common'
import { getPostmarkToken } from './postmark-token.js'

/**
 * Injects the transporter of `PostmarkSmtpModule`, a `PostmarkTransporter`.
 * @param name as passed to `forRoot({ name })`; leave it out for the module without a name
 * @example constructor(@InjectPostmark('news') private readonly news: PostmarkTransporter) {}
 */
export function InjectPostmark(name?: string): ParameterDecorator & PropertyDecorator {
  return Inject(getPostmarkToken(name))
}
