import { optionError, refuseUnknown } from '@postmark-smtp/core/internal'

/** The settings of the server that affect emails. `GET /server` shows them. */
export interface ServerSettings {
  readonly name: string
  /** Whether SMTP is on. If it is off, every login gets 535. */
  readonly smtpApiActivated: boolean
  /** Whether an SMTPApiError is posted as a Bounce webhook. Off by default, as at Postmark. */
  readonly enableSmtpApiErrorHooks: boolean
  readonly trackOpens: boolean
  readonly trackLinks: 'None' | 'HtmlAndText' | 'HtmlOnly' | 'TextOnly'
}

const DEFAULTS: ServerSettings = {
  name: 'Sandbox',
  smtpApiActivated: true,
  enableSmtpApiErrorHooks: false,
  trackOpens: false,
  trackLinks: 'None',
}
const LINKS = ['None', 'HtmlAndText', 'HtmlOnly', 'TextOnly']

/**
 * Settings with changes made to them.
 * @throws PostmarkError ERR_POSTMARK_OPTIONS
 */
export function toSettings(
  changes: Partial<ServerSettings> = {},
  before: ServerSettings = DEFAULTS,
): ServerSettings {
  refuseUnknown(changes, Object.keys(DEFAULTS))
  const settings = { ...before, ...changes }
  for (const [key, value] of Object.entries(settings)) {
    const wanted = typeof DEFAULTS[key as keyof ServerSettings]
    const found = typeof value
    if (found !== wanted) throw optionError(`settings.${key}`, value, `a ${wanted}`)
  }
  if (!LINKS.includes(settings.trackLinks))
    throw optionError('settings.trackLinks', settings.trackLinks, LINKS.join(', '))
  return settings
}
