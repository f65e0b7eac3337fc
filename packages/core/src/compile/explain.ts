import { contextLevels } from '../context/context.js'
import type { FieldOrigins } from '../fields/field-origin.js'
import { toOrigins } from '../fields/field-origin.js'
import { foldLevels } from '../fields/merge-fields.js'
import { readFields } from '../fields/read-fields.js'
import { splitHeaders } from '../message/header-shapes.js'
import { readHeaders } from '../message/message-headers.js'

/**
 * Returns the level that supplies each field of a message if it were sent here, without sending it. The defaults of a
 * transporter come after all of these levels; see `info.postmark.origins` of a sent email. `null` means that the field
 * was cleared.
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
