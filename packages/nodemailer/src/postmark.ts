import { type CompileOptions, type CompilePlugin, PostmarkError } from '@postmark-smtp/core'
import { createCompileStep } from '@postmark-smtp/core/internal-compile'

/**
 * The plugin that writes Postmark's headers on the mails of a transporter that you made.
 * Register it before other compile plugins: it reads the context when its turn comes, and after a plugin that
 * batches mails that is another request's. `attachPostmark` of @postmark-smtp/core has no such rule.
 * @example transporter.use('compile', postmark({ defaults: { messageStream: 'outbound' } }))
 * @throws PostmarkError ERR_POSTMARK_OPTIONS, ERR_POSTMARK_FIELDS
 */
export function postmark(options?: CompileOptions): CompilePlugin {
  if (isMail(options)) {
    const hint = "Call it where you register it: transporter.use('compile', postmark())."
    throw new PostmarkError(
      'ERR_POSTMARK_OPTIONS',
      `postmark makes the plugin, and was registered as the plugin itself. ${hint}`,
      { hint },
    )
  }
  return createCompileStep(options)
}

/** Whether this is what Nodemailer calls a plugin with. */
function isMail(options: object | undefined): boolean {
  return typeof options === 'object' && options !== null && 'data' in options && 'mailer' in options
}
