import { type CompileOptions, type CompilePlugin, PostmarkError } from '@postmark-smtp/core'
import { createCompileStep } from '@postmark-smtp/core/internal-compile'

/**
 * Creates the plugin that writes Postmark's headers on the emails of your own transporter.
 * Register it before other compile plugins. It reads the scope when its turn comes, and after a plugin that batches
 * emails, that may be the scope of another request. `attachPostmark` in @postmark-smtp/core does not have this limit.
 * @example transporter.use('compile', postmark({ defaults: { messageStream: 'outbound' } }))
 * @throws PostmarkError ERR_POSTMARK_OPTIONS, ERR_POSTMARK_FIELDS
 */
export function postmark(options?: CompileOptions): CompilePlugin {
  if (isMail(options)) {
    const hint = "Call it where you register it: transporter.use('compile', postmark())."
    throw new PostmarkError(
      'ERR_POSTMARK_OPTIONS',
      `postmark creates the plugin, but was registered as the plugin itself. ${hint}`,
      { hint },
    )
  }
  return createCompileStep(options)
}

/** Whether this is the email that Nodemailer passes to a plugin. */
function isMail(options: object | undefined): boolean {
  return typeof options === 'object' && options !== null && 'data' in options && 'mailer' in options
}
