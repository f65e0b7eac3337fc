import { fromHeaderEntries, type ParsedPostmarkFields } from '@postmark-smtp/core/pure'
import { readHeaderLines, readParagraphs } from './header-lines.js'

/**
 * The Postmark fields of the mail that the raw source of an SMTP API error quotes. No sample of one is published, so
 * its header block is the first paragraph with a From line; what the mail's text quotes in its turn does not count.
 */
export function readDumpFields(dump: string): ParsedPostmarkFields {
  const header = readParagraphs(dump).find((paragraph) => /^From:/im.test(paragraph)) ?? ''
  return fromHeaderEntries(readHeaderLines(header))
}
