/** One line of an email's header, unfolded. */
export interface HeaderLine {
  readonly key: string
  readonly value: string
}

/** A header block is at the beginning; the email after it may be of any length. */
const MOST_READ = 100_000
const EMPTY_LINE = /\r?\n[ \t]*\r?\n/
const FOLD = /\r?\n(?=[ \t])/g

/** The paragraphs at the beginning of a text: the first of an email is its header block. */
export function readParagraphs(text: string): string[] {
  return text.slice(0, MOST_READ).split(EMPTY_LINE)
}

/** The lines of a header block. If a line is not a header line, its key is empty. */
export function readHeaderLines(block: string): HeaderLine[] {
  return block
    .replace(FOLD, '')
    .split(/\r?\n/)
    .map((line) => {
      const colon = line.indexOf(':')
      return { key: line.slice(0, Math.max(0, colon)), value: line.slice(colon + 1) }
    })
}
