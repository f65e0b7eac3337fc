import type { BounceTypeName } from '@postmark-smtp/core'
import type { SandboxMail } from '../mail/sandbox-mail.js'
import type { SandboxBounce } from './bounce.js'
import type { SandboxEvent } from './sandbox-event.js'
import type { SuppressionReason } from './suppressions.js'

/** What a test, the page or the API can make happen to an email after it was accepted. */
export interface MailActions {
  /**
   * Makes an email bounce at its first recipient or another. A hard bounce suppresses the address.
   * @throws PostmarkError ERR_POSTMARK_OPTIONS if nobody received the email, or this recipient did not
   */
  bounce(mail: SandboxMail, type: BounceTypeName, recipient?: string): SandboxBounce
  /** Makes the recipient open an email, whether or not opens are tracked. @throws as {@link MailActions.bounce} */
  open(mail: SandboxMail, recipient?: string): SandboxEvent
  /** Makes the recipient click a link, by default the first. @throws as {@link MailActions.bounce} */
  click(mail: SandboxMail, link?: string, recipient?: string): Promise<SandboxEvent>
  /** Makes the recipient mark an email as spam, which suppresses the address. @throws as {@link MailActions.bounce} */
  complain(mail: SandboxMail, recipient?: string): SandboxEvent
  /** Makes the recipient unsubscribe from the email's message stream. @throws as {@link MailActions.bounce} */
  unsubscribe(mail: SandboxMail, recipient?: string): SandboxEvent
  /**
   * Suppresses an address on a message stream (default `outbound`).
   * @returns undefined if it is suppressed already
   */
  suppress(
    address: string,
    options?: { stream?: string; reason?: SuppressionReason },
  ): SandboxEvent | undefined
  /** Lifts a suppression. @returns undefined if there is none */
  unsuppress(address: string, options?: { stream?: string }): SandboxEvent | undefined
}
