import { BOUNCE_TYPES, type BounceTypeName } from '@postmark-smtp/core'
import type { SandboxMail } from '../../mail/sandbox-mail.js'
import type { PostmarkServer } from '../../server/postmark-server.js'

/**
 * Makes something happen to an email, as a button of its page says.
 * @returns whether there is such a button
 * @throws PostmarkError ERR_POSTMARK_OPTIONS if it cannot happen to this email
 */
export async function actOnMail(
  server: PostmarkServer,
  mail: SandboxMail,
  action: string,
  form: Readonly<Record<string, unknown>>,
): Promise<boolean> {
  const read = (name: string) => {
    const value = form[name]
    return typeof value === 'string' && value !== '' ? value : undefined
  }
  const recipient = read('recipient')
  switch (action) {
    case 'open':
      server.open(mail, recipient)
      return true
    case 'click':
      await server.click(mail, read('link'), recipient)
      return true
    case 'complain':
      server.complain(mail, recipient)
      return true
    case 'unsubscribe':
      server.unsubscribe(mail, recipient)
      return true
    case 'bounce': {
      const type = read('type') ?? 'HardBounce'
      if (!isBounceType(type)) return false
      server.bounce(mail, type, recipient)
      return true
    }
    default:
      return false
  }
}

function isBounceType(type: string): type is BounceTypeName {
  return Object.hasOwn(BOUNCE_TYPES, type)
}
