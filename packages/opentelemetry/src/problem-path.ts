/** An array index, or a key in quotation marks. */
const BRACKETS = /\[(?:"(?:[^"\\]|\\.)*"|[^\]]*)\]/g
/** What follows the field names: a key that the caller chose. */
const REST = /\.(?![a-z]\w*(?:\[\])*(?:\.|$)).*$/is

/**
 * The path of a problem without the parts that differ from mail to mail: indexes, metadata keys, and parts that are not
 * field names.
 * @example 'attachments[0].filename' → 'attachments[].filename', 'context.metadata.order-id' → 'context.metadata'
 */
export function toProblemPath(path: string): string {
  return path
    .replace(BRACKETS, '[]')
    .replace(/(metadata).*$/is, '$1')
    .replace(REST, '')
}
