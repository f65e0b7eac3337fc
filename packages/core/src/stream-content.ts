import { isRecord } from './describe.js'

const CONTENTS = ['text', 'html', 'watchHtml', 'amp', 'icalEvent', 'raw'] as const
const LISTS = ['attachments', 'alternatives'] as const

/** Whether a message has content that can be read only once; Nodemailer 7 to 9 send it empty the second time. */
export function hasStreamContent(data: Readonly<Record<string, unknown>>): boolean {
  if (CONTENTS.some((field) => isStreamed(data[field]))) return true
  return LISTS.some((field) => {
    const list = data[field]
    return Array.isArray(list) ? list.some(isStreamed) : isStreamed(list)
  })
}

function isStreamed(value: unknown): boolean {
  if (!isRecord(value)) return false
  return typeof value.pipe === 'function' || isStreamed(value.content) || isStreamed(value.raw)
}
