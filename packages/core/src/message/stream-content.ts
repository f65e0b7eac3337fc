import { isRecord } from '../problems/describe.js'

const CONTENTS = ['text', 'html', 'watchHtml', 'amp', 'icalEvent', 'raw'] as const
const LISTS = ['attachments', 'alternatives'] as const

/** Whether a message has content that can be read only once; Nodemailer 7 to 9 send it empty the second time. */
export function hasStreamContent(data: Readonly<Record<string, unknown>>): boolean {
  for (const field of CONTENTS) if (isStreamed(data[field])) return true
  for (const field of LISTS) {
    const list = data[field]
    if (Array.isArray(list) ? list.some(isStreamed) : isStreamed(list)) return true
  }
  return false
}

function isStreamed(value: unknown): boolean {
  if (!isRecord(value)) return false
  return typeof value.pipe === 'function' || isStreamed(value.content) || isStreamed(value.raw)
}
