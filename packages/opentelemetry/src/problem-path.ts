/** A place of an array, or a key in quotation marks. */
const BRACKETS = /\[(?:"(?:[^"\\]|\\.)*"|[^\]]*)\]/g

/**
 * The path of a problem without what differs from mail to mail: positions, and the keys of metadata.
 * @example 'attachments[0].filename' → 'attachments[].filename', 'context.metadata.order-id' → 'context.metadata'
 */
export function toProblemPath(path: string): string {
  return path.replace(/(metadata).*$/is, '$1').replace(BRACKETS, '[]')
}
