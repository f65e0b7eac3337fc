import { parseFields } from '../fields/parse-fields.js'
import { optionError } from '../problems/check-options.js'
import type { PostmarkFields } from '../vocabulary/vocabulary.js'

/** What an adapter is given for its requests: fields, or a function of the request that is called once per mail. */
export type RequestFields<Req> = PostmarkFields | ((request: Req) => PostmarkFields | null | undefined)

/**
 * Turns what an adapter was given into a function of the request. It is called when a mail is sent, so that a request
 * without one costs nothing. Fields that are no function are checked here, at start.
 * @param name the option that holds them
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
