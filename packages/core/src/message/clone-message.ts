/** Fields of a message that hold content, or a list of objects that hold content. */
const CONTENTS = ['text', 'html', 'watchHtml', 'amp', 'icalEvent', 'raw', 'envelope'] as const
const LISTS = ['attachments', 'alternatives'] as const
const ADDRESSES = ['from', 'sender', 'replyTo', 'to', 'cc', 'bcc'] as const

/**
 * Copies a message as deep as Nodemailer writes into it: it normalizes addresses, names attachments, adds inline
 * images, and puts what it read in place of a stream. Buffers, streams and objects with a class stay the caller's.
 */
export function cloneMessage(message: object): Record<string, unknown> {
  const copy: Record<string, unknown> = { ...message }
  for (const field of CONTENTS) if (isPlain(copy[field])) copy[field] = { ...copy[field] }
  for (const field of LISTS) {
    const list = copy[field]
    if (Array.isArray(list)) copy[field] = list.map((each: unknown) => (isPlain(each) ? { ...each } : each))
    else if (isPlain(list)) copy[field] = { ...list }
  }
  for (const holder of [copy, copy.envelope]) {
    if (!isPlain(holder)) continue
    for (const field of ADDRESSES) if (holder[field]) holder[field] = cloneAddresses(holder[field])
  }
  return copy
}

function cloneAddresses(value: unknown, depth = 0): unknown {
  // Deeper than anybody nests lists, only an array that holds itself is left, which Nodemailer reads once.
  if (Array.isArray(value)) return depth > 20 ? value : value.map((each) => cloneAddresses(each, depth + 1))
  if (!isPlain(value)) return value
  return { ...value }
}

/** Whether a value is an object without a class. */
export function isPlain(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}
