/** The value of a message field that Nodemailer writes into. */
const KINDS: ReadonlyMap<string, 'content' | 'list' | 'addresses' | 'envelope'> = new Map([
  ...['text', 'html', 'watchHtml', 'amp', 'icalEvent', 'raw'].map((field) => [field, 'content'] as const),
  ...['attachments', 'alternatives'].map((field) => [field, 'list'] as const),
  ...['from', 'sender', 'replyTo', 'to', 'cc', 'bcc'].map((field) => [field, 'addresses'] as const),
  ['envelope', 'envelope'],
])

/**
 * Copies a message as deeply as Nodemailer writes into it: it normalizes addresses, names attachments, adds inline
 * images, and replaces streams with what it read. Buffers, streams and class instances stay the caller's.
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
  // Beyond any realistic nesting, only an array that contains itself is left, which Nodemailer reads once.
  if (Array.isArray(value)) return depth > 20 ? value : value.map((each) => cloneAddresses(each, depth + 1))
  return cloneHolder(value)
}

/** Whether a value is an object without a class. */
export function isPlain(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}
