import type { CompileOptions, CompilePlugin } from '@postmark-smtp/core'
import { createCompileStep } from '@postmark-smtp/core/internal'

/**
 * The plugin that writes Postmark's headers on the mails of a transporter that you made.
 * Register it before other compile plugins: it reads the context when its turn comes, and behind a plugin that
 * batches mails that is another request's. `attachPostmark` of @postmark-smtp/core has no such rule.
 * @example transporter.use('compile', postmark({ defaults: { messageStream: 'outbound' } }))
 * @throws PostmarkError ERR_POSTMARK_OPTIONS, ERR_POSTMARK_FIELDS
 */
export function postmark(options?: CompileOptions): CompilePlugin {
  return createCompileStep(options)
}
