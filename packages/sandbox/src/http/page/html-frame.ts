import type { MailContent } from '../../mail/mail-content.js'
import type { FrameScheme } from './mail-place.js'

/** As much as Postmark accepts. */
const MAX_HTML_LENGTH = 5_242_880
/** A browser takes minutes for 100,000 levels, and shows no more than 512. */
const MAX_LEVELS = 5000
const MAX_IMAGE_BYTES = 10_485_760

/** Nothing runs, nothing is loaded and no form is sent, whatever the frame around it permits. */
export const FRAME_POLICY: string = [
  'sandbox',
  "default-src 'none'",
  'img-src data:',
  'font-src data:',
  "style-src 'unsafe-inline'",
  "form-action 'none'",
  "base-uri 'none'",
  "frame-ancestors 'self'",
].join('; ')

// A link without a target would replace the email in its frame. With this base, it does nothing.
const preface = (scheme: FrameScheme) =>
  `<!doctype html><meta charset="utf-8"><meta name="color-scheme" content="${scheme}"><base target="_blank">`

/** Why the HTML of an email is not shown in a browser; undefined if it is. */
export function frameProblem(html: string): string | undefined {
  if (html.length > MAX_HTML_LENGTH) return `it has more than ${MAX_HTML_LENGTH} characters`
  return countLevels(html) > MAX_LEVELS ? `it is nested more than ${MAX_LEVELS} levels deep` : undefined
}

/** The deepest nesting of elements, if only those without content close by themselves. */
function countLevels(html: string): number {
  let level = 0
  let deepest = 0
  for (const [, slash, name = ''] of html.matchAll(/<(\/?)([a-z][a-z0-9]*)/gi)) {
    if (VOID_ELEMENTS.test(name)) continue
    level = slash === '/' ? Math.max(0, level - 1) : level + 1
    deepest = Math.max(deepest, level)
  }
  return deepest
}

const VOID_ELEMENTS = /^(?:area|base|br|col|embed|hr|img|input|link|meta|param|source|track|wbr)$/i

/** The HTML of an email as a separate document, with the images that came with it. */
export function toFrameDocument({ html = '', attachments }: MailContent, scheme: FrameScheme): string {
  if (frameProblem(html) !== undefined) return preface(scheme)
  const images = new Map(
    attachments.flatMap(({ contentId, mimeType, content }) =>
      contentId !== undefined && /^image\/[\w.+-]+$/.test(mimeType)
        ? [[contentId.replace(/^\s*<|>\s*$/g, ''), { mimeType, content }] as const]
        : [],
    ),
  )
  let left = MAX_IMAGE_BYTES
  const body = html.replace(/\bcid:([^\s"'<>()]{1,998})/gi, (all, id: string) => {
    const image = images.get(id) ?? images.get(fromPercent(id))
    if (image === undefined || image.content.length > left) return all
    left -= image.content.length
    return `data:${image.mimeType};base64,${image.content.toString('base64')}`
  })
  return preface(scheme) + withScheme(body.replace(CONNECTING_TAGS, '<x-$1'), scheme)
}

/** A colour query in the email gets the scheme that was chosen, whatever the reader's system says. */
function withScheme(html: string, scheme: FrameScheme): string {
  return html.replace(
    /\(\s{0,9}prefers-color-scheme\s{0,9}:\s{0,9}(light|dark)\s{0,9}\)/gi,
    (_all, asked: string) => (asked.toLowerCase() === scheme ? '(min-width: 0px)' : '(max-width: 0px)'),
  )
}

/**
 * For these tags, Chromium looks a name up or opens a connection in advance. A policy stops only the request after
 * that.
 */
const CONNECTING_TAGS = /<(applet|embed|fencedframe|frame|iframe|link|object)(?=[\s/>])/gi

function fromPercent(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
