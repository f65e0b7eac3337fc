/** A place of an array, or a key in quotation marks. */
const BRACKETS = /\[(?:"(?:[^"\\]|\\.)*"|[^\]]*)\]/g
/** What comes after the names of fields: a key of the caller's. */
const REST = /\.(?![a-z]\w*(?:\[\])*(?:\.|$)).*$/is

/**
 * The path of a problem without what differs from mail to mail: positions, keys of metadata, and what is no name.
 * @example 'attachments[0].filename' → 'attachments[].filename', 'context.metadata.order-id' → 'context.metadata'
 */
export function toProblemPath(path: string): string {
  return path
    .replace(BRACKETS, '[]')
    .replace(/(metadata).*$/is, '$1')
    .replace(REST, '')
}
