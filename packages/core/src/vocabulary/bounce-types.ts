/** One type of bounce. */
export interface BounceType {
  /** The `TypeCode` in webhooks and the API. */
  readonly code: number
  /** The `Name` in webhooks and the API. */
  readonly name: string
}

/**
 * The bounce types that Postmark documents. Postmark may add others.
 * @example BOUNCE_TYPES.HardBounce // { code: 1, name: 'Hard bounce' }
 * @see https://postmarkapp.com/developer/api/bounce-api#bounce-types
 */
export const BOUNCE_TYPES = {
  HardBounce: { code: 1, name: 'Hard bounce' },
  Transient: { code: 2, name: 'Message delayed' },
  Unsubscribe: { code: 16, name: 'Unsubscribe request' },
  Subscribe: { code: 32, name: 'Subscribe request' },
  AutoResponder: { code: 64, name: 'Auto responder' },
  AddressChange: { code: 128, name: 'Address change' },
  DnsError: { code: 256, name: 'DNS error' },
  SpamNotification: { code: 512, name: 'Spam notification' },
  OpenRelayTest: { code: 1024, name: 'Open relay test' },
  Unknown: { code: 2048, name: 'Unknown' },
  SoftBounce: { code: 4096, name: 'Soft bounce' },
  VirusNotification: { code: 8192, name: 'Virus notification' },
  ChallengeVerification: { code: 16384, name: 'Spam challenge verification' },
  BadEmailAddress: { code: 100000, name: 'Invalid email address' },
  SpamComplaint: { code: 100001, name: 'Spam complaint' },
  ManuallyDeactivated: { code: 100002, name: 'Manually deactivated' },
  Unconfirmed: { code: 100003, name: 'Registration not confirmed' },
  Blocked: { code: 100006, name: 'ISP block' },
  SMTPApiError: { code: 100007, name: 'SMTP API error' },
  InboundError: { code: 100008, name: 'Processing failed' },
  DMARCPolicy: { code: 100009, name: 'DMARC policy' },
  TemplateRenderingFailed: { code: 100010, name: 'Template rendering failed' },
} as const

/** Name of a documented bounce type. */
export type BounceTypeName = keyof typeof BOUNCE_TYPES

const plain = (name: string) => name.replaceAll('_', '').toLowerCase()
const NAMES = new Map((Object.keys(BOUNCE_TYPES) as BounceTypeName[]).map((name) => [plain(name), name]))

/** The documented type that a name refers to. Postmark ignores case and underscores. @example 'soft_bounce' */
export function toBounceTypeName(name: string): BounceTypeName | undefined {
  return NAMES.get(plain(name))
}
