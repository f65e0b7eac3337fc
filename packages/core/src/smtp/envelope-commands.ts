import type { Capabilities } from './capabilities.js'
import type { Envelope } from './envelope.js'
import type { Shipment } from './shipment.js'

type Mail = Pick<Shipment, 'envelope' | 'content'>

/** The MAIL command, with those of SIZE, 8BITMIME, SMTPUTF8 and DSN that the server offers. */
export function toMailCommand(
  { from, to, dsn }: Envelope,
  { keywords }: Capabilities,
  content: { readonly size?: number | undefined; readonly has8Bit?: boolean | undefined },
): string {
  const parameters: string[] = []
  if (keywords.has('SMTPUTF8') && !isAscii(from, to)) parameters.push('SMTPUTF8')
  if (keywords.has('8BITMIME') && content.has8Bit) parameters.push('BODY=8BITMIME')
  if (keywords.has('SIZE') && content.size !== undefined) parameters.push(`SIZE=${content.size}`)
  if (dsn && keywords.has('DSN')) {
    if (dsn.ret) parameters.push(`RET=${dsn.ret}`)
    if (dsn.envid) parameters.push(`ENVID=${toXText(dsn.envid)}`)
  }
  return `MAIL FROM:<${from}>${parameters.map((each) => ` ${each}`).join('')}\r\n`
}

/** The RCPT command of one recipient. */
export function toRcptCommand(address: string, { dsn }: Envelope, { keywords }: Capabilities): string {
  const wanted = dsn && keywords.has('DSN')
  const notify = wanted && dsn.notify ? ` NOTIFY=${dsn.notify}` : ''
  const orcpt = wanted && dsn.orcpt ? ` ORCPT=${toXText(dsn.orcpt)}` : ''
  return `RCPT TO:<${address}>${notify}${orcpt}\r\n`
}

/** The MAIL command of an email. The size of an email that is read while it is sent is not known yet. */
export function toFirstCommand({ envelope, content }: Mail, capabilities: Capabilities): string {
  return toMailCommand(envelope, capabilities, content.kind === 'whole' ? content : {})
}

/**
 * All commands of an envelope, for one write.
 * @param reset whether they start with RSET, after the end of the previous email
 * @param last the command that starts the body
 */
export function toEnvelopeCommands(
  mail: Mail,
  capabilities: Capabilities,
  reset: boolean,
  last: 'DATA' | `BDAT ${string}`,
): string {
  const { envelope } = mail
  let text = `${reset ? 'RSET\r\n' : ''}${toFirstCommand(mail, capabilities)}`
  for (const address of envelope.to) text += toRcptCommand(address, envelope, capabilities)
  return `${text}${last}\r\n`
}

function isAscii(from: string, to: readonly string[]): boolean {
  return /^[ -~]*$/.test(from) && to.every((each) => /^[ -~]*$/.test(each))
}

/** RFC 3461 §4: characters outside printable ASCII, and `+` and `=`, as +XX. */
function toXText(text: string): string {
  return [...Buffer.from(text)]
    .map((byte) =>
      byte < 33 || byte > 126 || byte === 43 || byte === 61
        ? `+${byte.toString(16).toUpperCase().padStart(2, '0')}`
        : String.fromCharCode(byte),
    )
    .join('')
}
