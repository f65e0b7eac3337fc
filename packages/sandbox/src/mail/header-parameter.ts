import { decodeText, fromHex, isCharset } from './charset.js'
import { decodeWords } from './encoded-words.js'

/** One parameter, or one section of one: `filename*1*=…` is the section 1 of `filename`, encoded. */
interface Section {
  readonly text: string
  readonly encoded: boolean
}

/**
 * Reads a parameter of a header value that is not yet decoded. If a sender gives it both plain and in the form of RFC
 * 2231, the plain one is meant for old readers, so the other counts.
 */
export function parameter(value: string, name: string): string | undefined {
  const sections = new Map<number | 'plain' | 'encoded', Section>()
  for (const [, key = '', quoted, bare = ''] of value.matchAll(PARAMETER)) {
    const [own, number, star] = /^(.+?)(?:\*(\d{1,4}))?(\*)?$/.exec(key.toLowerCase())?.slice(1) ?? []
    if (own !== name) continue
    const text = quoted === undefined ? bare.trim().replace(/^"/, '') : quoted.replace(/\\(.)/g, '$1')
    const encoded = star !== undefined
    const place = number !== undefined ? Number(number) : encoded ? 'encoded' : 'plain'
    if (!sections.has(place)) sections.set(place, { text, encoded })
  }
  const numbered: Section[] = []
  for (let at = 0; sections.has(at); at++) numbered.push(sections.get(at)!)
  const single = sections.get('encoded') ?? (numbered.length > 0 ? undefined : sections.get('plain'))
  return single ? joinSections([single]) : numbered.length > 0 ? joinSections(numbered) : undefined
}

const PARAMETER = /;\s*([^\s=;"]+)\s*=\s*(?:"((?:\\.|[^"\\])*)"|([^;]*))/g

/** Bytes first: a character may begin in one section and end in the next. */
function joinSections(sections: readonly Section[]): string {
  if (sections.every(({ encoded }) => !encoded)) return decodeWords(sections.map(({ text }) => text).join(''))
  const [first, ...others] = sections
  const { charset, rest } = first!.encoded
    ? splitCharset(first!.text)
    : { charset: 'utf-8', rest: first!.text }
  const bytes = [{ ...first!, text: rest }, ...others].map(({ text, encoded }) =>
    encoded ? fromHex(text, '%') : Buffer.from(text),
  )
  const all = Buffer.concat(bytes)
  return decodeText(all, charset || undefined) ?? all.toString()
}

/** Splits `charset'language'text`. If a sender leaves the first two out, an apostrophe belongs to the text. */
function splitCharset(text: string): { charset: string; rest: string } {
  const [all = '', charset = '', language] = /^([\w.:+-]*)'([\w-]*)'/.exec(text) ?? []
  const isMarked = all !== '' && (charset === '' || language === '' || isCharset(charset))
  return isMarked ? { charset, rest: text.slice(all.length) } : { charset: '', rest: text }
}
