import type { MailContent } from '../../mail/mail-content.js'

/** The parts of an email that can be shown. */
export const MAIL_PARTS = [
  'html',
  'text',
  'markup',
  'headers',
  'source',
  'delivered',
  'links',
  'check',
] as const

/** One of {@link MAIL_PARTS}. */
export type MailPart = (typeof MAIL_PARTS)[number]

/** The parts that an email has, the best first. */
export function partsOf({ html, text }: MailContent): MailPart[] {
  return MAIL_PARTS.filter((part) =>
    part === 'text'
      ? text !== undefined
      : part === 'html' || part === 'markup' || part === 'check'
        ? html !== undefined
        : true,
  )
}
