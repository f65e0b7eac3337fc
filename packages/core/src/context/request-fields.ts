import { parseFields } from '../fields/parse-fields.js'
import { optionError } from '../problems/check-options.js'
import type { PostmarkFields } from '../vocabulary/vocabulary.js'

/** What an adapter gets for its requests: fields, or a function of the request that is called once per email. */
export type RequestFields<Req> = PostmarkFields | ((request: Req) => PostmarkFields | null | undefined)

/**
 * Turns what an adapter got into a function of the request. The function is called when an email is sent, so a request
 * that sends no email costs nothing. Plain fields are checked here, at startup.
 * @param name the option that contains them
 * @throws PostmarkError ERR_POSTMARK_FIELDS, ERR_POSTMARK_OPTIONS
 */
export function toRequestReader<Req>(
  fields: RequestFields<Req>,
  name = 'fields',
): (request: Req) => PostmarkFields | null | undefined {
  if (fields === undefined || fields === null)
    throw optionError(name, fields, 'an object of Postmark fields, or a function that returns one')
  if (typeof fields === 'function') return fields
  const parsed = parseFields(fields)
  return () => parsed
}
