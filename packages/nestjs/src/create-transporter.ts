import { createPostmarkTransport, PostmarkError, type PostmarkTransporter } from '@postmark-smtp/core'
import { checkOptions, namingModule } from './check-module-options.js'
import type { PostmarkModuleOptions } from './postmark-module-options.interface.js'

/**
 * Creates the transporter of a module. An error names that module.
 * @throws PostmarkError ERR_POSTMARK_OPTIONS, _URL, _CREDENTIALS, _TLS, _FIELDS
 */
export function createTransporter(options: PostmarkModuleOptions, name?: string): PostmarkTransporter {
  const where = nameModule(name)
  checkOptions(options, where, '{ url }')
  return namingModule(where, () => createPostmarkTransport(toTransportOptions(options)))
}

/** The name of a module in messages. */
function nameModule(name: string | undefined): string {
  return name === undefined ? 'PostmarkSmtpModule' : `PostmarkSmtpModule ${JSON.stringify(name)}`
}

function toTransportOptions(options: PostmarkModuleOptions) {
  const { context, messageContext, ...rest } = options
  for (const [option, value] of Object.entries({ context, messageContext })) {
    if (value !== undefined && typeof value !== 'function') {
      throw new PostmarkError(
        'ERR_POSTMARK_OPTIONS',
        `Option ${option} must be a function that returns fields.`,
      )
    }
  }
  return rest
}
