/** A header line, unfolded. */
export interface HeaderLine {
  /** In lower case. */
  readonly name: string
  readonly value: string
}

/** Reads the header lines at the start of a message or part, unfolded. Each byte is one character. */
export function readHeaderLines(block: string): HeaderLine[] {
  const lines: HeaderLine[] = []
  for (const line of block.replace(/(\r\n|\n|\r)(?=[ \t])/g, '').split(/\r\n|\n|\r/)) {
    if (line === '') break
    const colon = line.indexOf(':')
    if (colon > 0)
      lines.push({ name: line.slice(0, colon).trim().toLowerCase(), value: line.slice(colon + 1).trim() })
  }
  return lines
}

/** The value of the first line with this name. */
export function lineValue(lines: readonly HeaderLine[], name: string): string | undefined {
  return lines.find((line) => line.name === name)?.value
}

/** The declared file name of a part: `filename` of its Content-Disposition, otherwise `name` of its Content-Type. */
export function fileNameOf(lines: readonly HeaderLine[]): string | undefined {
  const disposition = lineValue(lines, 'content-disposition') ?? ''
  return parameter(disposition, 'filename') ?? parameter(lineValue(lines, 'content-type') ?? '', 'name')
}

const PARAMETER = /;\s*([^\s=;"]+)\s*=\s*(?:"((?:\\.|[^"\\])*)"|([^;]*))/g

/** A parameter of a header value, even if it is encoded or split into sections in any order (RFC 2231, RFC 2047). */
export function parameter(value: string, name: string): string | undefined {
  let plain: string | undefined
  const sections: string[] = []
  for (const [, key = '', quoted, bare = ''] of value.matchAll(PARAMETER)) {
    const [word, section, end] = key.toLowerCase().split('*')
    if (word !== name) continue
    const text = quoted === undefined ? bare.trim() : quoted.replace(/\\(.)/g, '$1')
    if (section === undefined) plain ??= decodeWords(text)
    else sections[Number(section) || 0] = section === '' || end === '' ? fromPercent(text) : text
  }
  return sections.length > 0 ? sections.join('') : plain
}

/** The charset is ignored: only the end of the name matters here, which is ASCII. */
function fromPercent(text: string): string {
  return text
    .replace(/^[\w-]*'[^']*'/, '')
    .replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
}

function decodeWords(text: string): string {
  return text
    .replace(/\?=\s+=\?/g, '?==?')
    .replace(/=\?[^?\s]+\?([qb])\?([^?\s]*)\?=/gi, (_, encoding: string, word: string) =>
      encoding.toLowerCase() === 'b'
        ? Buffer.from(word, 'base64').toString('latin1')
        : fromPercent(word.replaceAll('_', ' ').replaceAll('=', '%')),
    )
}
