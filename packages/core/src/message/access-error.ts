import { isRecord } from '../problems/describe.js'
import { isStream } from './stream-content.js'

const CONTENTS = ['text', 'html', 'watchHtml', 'amp', 'icalEvent', 'raw'] as const
const LISTS = ['attachments', 'alternatives'] as const

type Fields = Readonly<Record<string, unknown>>

/**
 * The error for a message that refers to a file or a URL although `disableFileAccess` or `disableUrlAccess` forbids it.
 * Nodemailer only detects it while composing, and versions 7 and 8 ignore it for `raw` and if a plugin reads content.
 */
export function accessError(message: Fields): Error | undefined {
  const { disableFileAccess, disableUrlAccess } = message
  if (!disableFileAccess && !disableUrlAccess) return undefined
  for (const { path, href } of contentHolders(message)) {
    const place = [href, path].find((each) => typeof each === 'string' && each !== '') as string | undefined
    if (place === undefined || /^data:/i.test(place)) continue
    const isUrl = place === href || /^https?:/i.test(place)
    if (!(isUrl ? disableUrlAccess : disableFileAccess)) continue
    const error = new Error(`${isUrl ? 'Url' : 'File'} access rejected for ${place}`)
    return Object.assign(error, { code: isUrl ? 'EURLACCESS' : 'EFILEACCESS' })
  }
  return undefined
}

/** All objects of a message that may refer to a file or a URL. */
function* contentHolders(message: Fields): Generator<Fields> {
  for (const field of CONTENTS) yield* withNested(message[field])
  for (const field of LISTS) {
    const list = message[field]
    for (const each of Array.isArray(list) ? list : [list]) yield* withNested(each)
  }
}

function* withNested(value: unknown): Generator<Fields> {
  if (!isHolder(value)) return
  yield value
  for (const nested of [value.content, value.raw]) if (isHolder(nested)) yield nested
}

function isHolder(value: unknown): value is Fields {
  return isRecord(value) && !ArrayBuffer.isView(value) && !isStream(value)
}
