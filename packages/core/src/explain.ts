import { contextLevels } from './context.js'
import type { FieldOrigins } from './field-origin.js'
import { toOrigins } from './field-origin.js'
import { splitHeaders } from './header-shapes.js'
import { foldLevels } from './merge-fields.js'
import { readHeaders } from './message-headers.js'
import { readFields } from './read-fields.js'

/**
 * Tells which level supplies each field of a message that would be sent here, without sending it; defaults of a
 * transporter come behind all of them, and stand in `info.postmark.origins` of a sent mail. `null` was cleared.
 * @example explainPostmark({ postmark: { tag: 'welcome' } }) // { tag: { value: 'welcome', level: 'postmark' } }
 */
export function explainPostmark(message: object): FieldOrigins {
  const { postmark, headers } = message as { postmark?: unknown; headers?: unknown }
  const levels = [
    ...contextLevels(),
    { name: 'postmark', fields: readFields(postmark, 'postmark').fields },
    { name: 'headers', fields: readHeaders(splitHeaders(headers).postmark, 'headers').fields },
  ]
  return toOrigins(foldLevels(levels.map(({ fields }) => fields)), levels)
}
