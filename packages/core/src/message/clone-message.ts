/** What a field of a message holds, where Nodemailer writes into it. */
const KINDS: ReadonlyMap<string, 'content' | 'list' | 'addresses' | 'envelope'> = new Map([
  ...['text', 'html', 'watchHtml', 'amp', 'icalEvent', 'raw'].map((field) => [field, 'content'] as const),
  ...['attachments', 'alternatives'].map((field) => [field, 'list'] as const),
  ...['from', 'sender', 'replyTo', 'to', 'cc', 'bcc'].map((field) => [field, 'addresses'] as const),
  ['envelope', 'envelope'],
])

/**
 * Copies a message as deep as Nodemailer writes into it: it normalizes addresses, names attachments, adds inline
 * images, and puts what it read in place of a stream. Buffers, streams and objects with a class stay the caller's.
 */
export function cloneMessage(message: object): Record<string, unknown> {
  const copy: Record<string, unknown> = { ...message }
  for (const field in copy) {
    const value = copy[field]
    if (typeof value === 'object' && value !== null) copy[field] = cloneField(field, value)
  }
  return copy
}

function cloneField(field: string, value: object): unknown {
  switch (KINDS.get(field)) {
    case 'content':
      return cloneHolder(value)
    case 'list':
      return Array.isArray(value) ? value.map(cloneHolder) : cloneHolder(value)
    case 'addresses':
      return cloneAddresses(value)
    case 'envelope': {
      const envelope = cloneHolder(value)
      if (isPlain(envelope))
        for (const each in envelope)
          if (KINDS.get(each) === 'addresses') envelope[each] = cloneAddresses(envelope[each])
      return envelope
    }
    default:
      return value
  }
}

function cloneHolder(value: unknown): unknown {
  return isPlain(value) ? { ...value } : value
}

function cloneAddresses(value: unknown, depth = 0): unknown {
  // Deeper than anybody nests lists, only an array that holds itself is left, which Nodemailer reads once.
  if (Array.isArray(value)) return depth > 20 ? value : value.map((each) => cloneAddresses(each, depth + 1))
  return cloneHolder(value)
}

/** Whether a value is an object without a class. */
export function isPlain(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}
