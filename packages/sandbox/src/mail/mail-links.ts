import type { MailContent } from './mail-content.js'

/** A link of an email, and the part that contains it, as a Click webhook names it. */
export interface MailLink {
  readonly url: string
  readonly location: 'HTML' | 'Text'
}

/** The links of an email that open in a browser. Those of the html come first. */
export function listLinks({ html = '', text = '' }: MailContent): MailLink[] {
  const inHtml = [...html.matchAll(/<a\b[^<>]*?\shref\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s>]+))/gi)]
    .map(([, double, single, bare]) => (double ?? single ?? bare ?? '').replaceAll('&amp;', '&').trim())
    .filter((url) => /^https?:/i.test(url))
  const inText = [...text.matchAll(/\bhttps?:\/\/[^\s<>"]*[^\s<>".,;:!?)]/gi)].map(([url]) => url)
  return [
    ...inHtml.map((url) => ({ url, location: 'HTML' as const })),
    ...inText.map((url) => ({ url, location: 'Text' as const })),
  ]
}
