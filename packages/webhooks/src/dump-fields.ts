import { fromHeaderEntries, type ParsedPostmarkFields } from '@postmark-smtp/core/pure'
import { readHeaderLines, readParagraphs } from './header-lines.js'

/**
 * The Postmark fields of the email that the raw source of an SMTP API error quotes. No sample is published, so the first
 * paragraph with a From line is read as its header block. Emails that the email's text quotes are ignored.
 */
export function readDumpFields(dump: string): ParsedPostmarkFields {
  const header = readParagraphs(dump).find((paragraph) => /^From:/im.test(paragraph)) ?? ''
  return fromHeaderEntries(readHeaderLines(header))
}
