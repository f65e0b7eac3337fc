import {
  createPostmarkTransport,
  isPostmarkError,
  PostmarkError,
  type PostmarkTransporter,
} from '@postmark-smtp/core'
import type { PostmarkModuleOptions } from './postmark-module-options.interface.js'

/**
 * The transporter of a module; an error tells which module it is about.
 * @throws PostmarkError ERR_POSTMARK_OPTIONS, _URL, _CREDENTIALS, _TLS, _FIELDS
 */
export function createTransporter(options: PostmarkModuleOptions, name?: string): PostmarkTransporter {
  try {
    return createPostmarkTransport(toTransportOptions(options))
  } catch (error) {
    if (!isPostmarkError(error)) throw error
    const { code, message, problems, hint } = error
    const where = name === undefined ? 'PostmarkSmtpModule' : `PostmarkSmtpModule ${JSON.stringify(name)}`
    throw new PostmarkError(code, `${where}: ${message}`, { problems, hint, cause: error })
  }
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
