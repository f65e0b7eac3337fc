import { API_ERRORS, BOUNCE_TYPES, type BounceTypeName } from '@postmark-smtp/core'
import type { SandboxMail } from '../mail/sandbox-mail.js'
import type { SuppressionReason } from './suppressions.js'

/** A bounce as `GET /bounces` and the Bounce webhook show it. */
export interface SandboxBounce {
  readonly id: number
  readonly type: BounceTypeName
  readonly typeCode: number
  readonly name: string
  readonly mail: SandboxMail
  /** The stream that it is listed under: the email's, or `outbound` if the server has no such stream. */
  readonly stream: string
  readonly recipient: string
  readonly at: Date
  readonly description: string
  readonly details: string
  /** Postmark's error code, if the type is SMTPApiError. */
  readonly errorCode?: number
  /** Whether the address was suppressed because of it, and still is. */
  readonly inactive: boolean
  /** Whether the address of a bounce of this type can be reactivated. */
  readonly canActivate: boolean
  /** The raw source, as `GET /bounces/{id}/dump` returns it. Made at each access. */
  readonly dump: string
}

/** The parts that a bounce is made of. */
export interface BounceParts {
  readonly id: number
  readonly type: BounceTypeName
  readonly mail: SandboxMail
  readonly stream: string
  readonly recipient: string
  readonly at: Date
  /** Whether the recipient is suppressed on the stream. */
  isSuppressed(): boolean
}

/** The reason for which a bounce of this type suppresses its recipient, if it does. */
export function suppressionOf(type: BounceTypeName): SuppressionReason | undefined {
  return type === 'HardBounce' || type === 'SpamComplaint' ? type : undefined
}

/** What a faked SMTPApiError says about an email without a problem, with the code that most causes share. */
const FAKED = { errorCode: 300, message: 'Invalid email request (made by the sandbox).' } as const

/** Makes a bounce. One of the type SMTPApiError has the first problem of the email's verdict. */
export function toBounce({
  id,
  type,
  mail,
  stream,
  recipient,
  at,
  isSuppressed,
}: BounceParts): SandboxBounce {
  const { code, name } = BOUNCE_TYPES[type]
  const problem = type === 'SMTPApiError' ? (mail.verdict.problems[0] ?? FAKED) : undefined
  const details = problem?.message ?? `smtp;550 ${name} (made by the sandbox)`
  return {
    id,
    type,
    typeCode: code,
    name,
    mail,
    stream,
    recipient,
    at,
    description: problem ? (API_ERRORS[problem.errorCode]?.name ?? name) : (DESCRIPTIONS[type] ?? `${name}.`),
    details,
    ...(problem && { errorCode: problem.errorCode }),
    get inactive() {
      return suppressionOf(type) !== undefined && isSuppressed()
    },
    canActivate: type === 'HardBounce',
    get dump() {
      const reason = problem ? `${details}\r\nErrorCode: ${problem.errorCode}` : details
      return `${reason}\r\n\r\n${mail.raw.toString('latin1')}`
    },
  }
}

const DESCRIPTIONS: Readonly<Partial<Record<BounceTypeName, string>>> = {
  HardBounce: 'The receiving server refused the email permanently: the mailbox does not exist.',
  SoftBounce: 'The receiving server refused the email temporarily: the mailbox is full.',
  Transient: 'The receiving server has not accepted the email yet. Delivery is retried.',
  SpamComplaint: 'The recipient marked the email as spam.',
  Blocked: 'The receiving server refuses mail from this sender.',
  DnsError: 'The domain of the recipient has no mail server.',
}
