import type { SandboxMail } from '../../mail/sandbox-mail.js'
import type { PostmarkServer } from '../../server/postmark-server.js'

/** The statuses of an email, the most important first, as the page shows them. */
export const STATUSES = {
  refused: 'Refused',
  complaint: 'Spam complaint',
  bounced: 'Bounced',
  unsubscribed: 'Unsubscribed',
  clicked: 'Clicked',
  opened: 'Opened',
  delivered: 'Delivered',
  sent: 'Sent',
} as const

/** One of {@link STATUSES}. */
export type MailStatus = keyof typeof STATUSES

const STATUS_OF = {
  SpamComplaint: 'complaint',
  Bounce: 'bounced',
  SubscriptionChange: 'unsubscribed',
  Click: 'clicked',
  Open: 'opened',
  Delivery: 'delivered',
} as const

const BY_WEIGHT = Object.keys(STATUSES) as MailStatus[]

/** The most important thing that happened to an email. */
export function statusOf(mail: SandboxMail, server: PostmarkServer): MailStatus {
  if (mail.verdict.outcome === 'refused') return 'refused'
  const happened = new Set(server.eventsOf(mail).map(({ recordType }) => STATUS_OF[recordType]))
  return (
    BY_WEIGHT.find((status) => happened.has(status as (typeof STATUS_OF)[keyof typeof STATUS_OF])) ?? 'sent'
  )
}
