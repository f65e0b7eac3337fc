import { isRecord } from '../problems/describe.js'
import { PostmarkError } from '../problems/error.js'
import type { PostmarkProblem } from '../problems/problem.js'
import { isJsonCopy } from './json-copy.js'
import type { MailerLike } from './nodemailer-types.js'

/** Transports that pass the message on byte for byte, by their `name`. */
const BY_SMTP = new Set([
  'SMTP',
  'SMTP (pool)',
  'Sendmail',
  'StreamTransport',
  'JSONTransport',
  'postmark-smtp',
])

/** Transports that use HTTP, by their name, with a description. */
const BY_HTTP: ReadonlyMap<string, string> = new Map([
  ['Postmark', 'nodemailer-postmark-transport, which uses the REST API'],
  ['SESTransport', 'Amazon SES'],
])

const seen = new WeakSet<object>()

/**
 * Throws for a transporter on which Postmark headers have no effect, and warns once about one it does not know.
 * @throws PostmarkError ERR_POSTMARK_TRANSPORT, ERR_POSTMARK_TLS
 */
export function refuseTransport(mailer: MailerLike | undefined): PostmarkProblem | undefined {
  if (!mailer || seen.has(mailer)) return undefined
  const { transporter, options } = mailer
  const name =
    isRecord(transporter) && typeof transporter.name === 'string' ? transporter.name : 'without a name'
  const other = BY_HTTP.get(name)
  if (other) {
    throw new PostmarkError(
      'ERR_POSTMARK_TRANSPORT',
      `This transporter is ${other}: Postmark headers have no effect there.`,
    )
  }
  if (isJsonCopy(options)) {
    const hint = 'Pass the transporter itself, or the URL or options it was created from.'
    throw new PostmarkError(
      'ERR_POSTMARK_TRANSPORT',
      `This transporter was created from a copy of a Postmark transporter that went through JSON, which drops functions. ${hint}`,
      { hint },
    )
  }
  if (isRecord(options)) refuseImplicitTls(options)
  seen.add(mailer)
  if (BY_SMTP.has(name)) return undefined
  return {
    path: 'transporter',
    found: `is a transport named ${JSON.stringify(name)}`,
    limit: 'an SMTP transport',
    cure: 'If it does not send over SMTP, Postmark headers have no effect.',
    severity: 'warning',
  }
}

function refuseImplicitTls({ host, service, port, secure }: Readonly<Record<string, unknown>>): void {
  const postmark =
    /(^|\.)postmarkapp\.com$/i.test(String(host ?? '')) || /^postmark$/i.test(String(service ?? ''))
  if (postmark && (secure === true || Number(port) === 465)) {
    throw new PostmarkError('ERR_POSTMARK_TLS', 'Postmark has no implicit TLS (`secure: true`, port 465).', {
      hint: 'Set `secure: false, requireTLS: true` and use port 587, 2525 or 25.',
    })
  }
}
