import { fromHeaderEntries, type ParsedPostmarkFields } from '@postmark-smtp/core'

/** Explanation and header block stand at the beginning; a mail behind them may be as long as it likes. */
const MOST_READ = 100_000
const EMPTY_LINE = /\r?\n[ \t]*\r?\n/
const FOLD = /\r?\n(?=[ \t])/g

/**
 * The Postmark fields of the mail that the raw source of an SMTP API error quotes. No sample of one is published, so
 * its header block is the first paragraph with a From line; what the mail's text quotes in its turn does not count.
 */
export function readDumpFields(dump: string): ParsedPostmarkFields {
  const paragraphs = dump.slice(0, MOST_READ).split(EMPTY_LINE)
  const header = paragraphs.find((paragraph) => /^From:/im.test(paragraph)) ?? ''
  const lines = header.replace(FOLD, '').split(/\r?\n/)
  return fromHeaderEntries(
    lines.map((line) => {
      const colon = line.indexOf(':')
      return { key: line.slice(0, Math.max(0, colon)), value: line.slice(colon + 1) }
    }),
  )
}
