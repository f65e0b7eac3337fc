import { decodeText, fromHex } from './charset.js'

const WORD = /=\?([^?\s]+)\?([bq])\?([^?]*)\?=/gi

/**
 * Decodes the encoded words of a header value (RFC 2047). Neighbours in one charset are decoded together, because some
 * programs split a character between two. A word in an unknown charset stays as it came.
 */
export function decodeWords(value: string): string {
  return mapEncodedWords(value, (text) => text)
}

/** Replaces the encoded words of a header value by what `toText` makes of their text. */
export function mapEncodedWords(value: string, toText: (text: string) => string): string {
  if (!value.includes('=?')) return value
  let mapped = ''
  let end = 0
  let words: Word[] = []
  const join = () => {
    if (words.length === 0) return
    const text = decodeText(Buffer.concat(words.map(({ bytes }) => bytes)), words[0]!.charset)
    mapped += text === undefined ? words.map(({ source }) => source).join(' ') : toText(text)
    words = []
  }
  for (const match of value.matchAll(WORD)) {
    const between = value.slice(end, match.index)
    const word = toWord(match)
    const isNeighbour = words.length > 0 && between.trim() === ''
    if (!isNeighbour || words[0]!.charset !== word.charset) {
      join()
      if (!isNeighbour) mapped += between
    }
    words.push(word)
    end = match.index + match[0].length
  }
  join()
  return mapped + value.slice(end)
}

interface Word {
  readonly charset: string
  readonly bytes: Buffer
  readonly source: string
}

function toWord([source, charset = '', encoding, content = '']: RegExpExecArray): Word {
  // The language after an asterisk (RFC 2231 §5) says nothing about the bytes.
  const name = charset.split('*', 1)[0]!.toLowerCase()
  const bytes =
    encoding!.toLowerCase() === 'b'
      ? Buffer.from(content, 'base64')
      : fromHex(content.replaceAll('_', ' '), '=')
  return { charset: name, bytes, source }
}
