/** What an application writes with only @postmark-smtp/nodemailer. Compiled and run by ../types.mjs, once per cell. */
import { postmark, runWithPostmark } from '@postmark-smtp/nodemailer'
import type { SendMailOptions } from 'nodemailer'
import { createTransport } from 'nodemailer'

const mail = { from: 'shop@example.com', to: 'ann@example.com', subject: 'Hi', text: 'Hi' }

export const message: SendMailOptions = { ...mail, postmark: { tag: 'x', metadata: { a: 1, b: null } } }

/** Each kind of transporter takes the plugin, and `postmark` in its messages. */
export function transporters(): void {
  const smtp = createTransport({ host: '127.0.0.1', port: 1 })
  const pool = createTransport({ host: '127.0.0.1', port: 1, pool: true })
  const json = createTransport({ jsonTransport: true })
  smtp.use('compile', postmark())
  pool.use('compile', postmark({ preflight: 'warn' }))
  json.use('compile', postmark())
  // @ts-expect-error a misspelt option
  json.use('compile', postmark({ preflihgt: 'warn' }))
  // @ts-expect-error a misspelt field
  void smtp.sendMail({ ...mail, postmark: { tga: 'x' } })
  // @ts-expect-error a misspelt field
  void pool.sendMail({ ...mail, postmark: { tga: 'x' } })
}

async function main(): Promise<void> {
  const stream = createTransport({ streamTransport: true, buffer: true })
  stream.use('compile', postmark({ defaults: { messageStream: 'outbound' } }))
  const fields = { tag: 'welcome', metadata: { 'order-id': 7 } }
  const send = () => stream.sendMail({ ...mail, postmark: fields })
  const wire = String((await runWithPostmark({ metadata: { tenantId: 'acme' } }, send)).message)
  const lines = [
    'X-PM-Message-Stream: outbound',
    'X-PM-Tag: welcome',
    'X-PM-Metadata-tenantId: acme',
    'X-PM-Metadata-order-id: 7',
  ]
  for (const line of lines) if (!wire.includes(`${line}\r\n`)) throw new Error(`no ${line} in\n${wire}`)
  console.log('wire ok')
}
void main()
