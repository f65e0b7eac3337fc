import { POSTMARK_FIELDS } from '@postmark-smtp/core'

/** How an email of the probe differs from an ordinary one. */
export interface ProbeMail {
  /** Header lines, exactly as they go out. */
  readonly lines?: readonly string[]
  readonly body?: string
  readonly hasTo?: boolean
  /** How many From lines there are. */
  readonly froms?: number
  /** Whether it names the stream. */
  readonly hasStream?: boolean
  /** Whether it goes to the host for the other type of stream. */
  readonly isOtherHost?: boolean
}

/** The test address whose email Postmark discards. */
export const BLACK_HOLE = 'test@blackhole.postmarkapp.com'

/** The bytes of an email, with its header lines exactly as given: a library would refuse some of them. */
export function composeMail(
  { from, subject, stream }: { readonly from: string; readonly subject: string; readonly stream: string },
  {
    lines = [],
    body = 'An email of postmark-doctor --probe.',
    hasTo = true,
    froms = 1,
    hasStream = true,
  }: ProbeMail,
): string {
  const head = [
    ...Array.from({ length: froms }, () => `From: ${from}`),
    ...(hasTo ? [`To: ${BLACK_HOLE}`] : []),
    `Subject: ${subject}`,
    `Date: ${new Date().toUTCString().replace('GMT', '+0000')}`,
    'MIME-Version: 1.0',
    'Content-Type: text/plain; charset=utf-8',
    ...(hasStream ? [`${POSTMARK_FIELDS.messageStream.header}: ${stream}`] : []),
    ...lines,
  ]
  return `${head.join('\r\n')}\r\n\r\n${body}\r\n`
}
