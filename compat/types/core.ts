/** What an application writes with @postmark-smtp/core. Compiled and run by ../types.mjs, once per cell. */
import { attachPostmark, createPostmarkTransport, runWithPostmark } from '@postmark-smtp/core'
import { startSandbox } from '@postmark-smtp/sandbox'
import type { SendMailOptions, Transporter } from 'nodemailer'
import { createTransport } from 'nodemailer'
import type Mail from 'nodemailer/lib/mailer/index.js'

const mail = { from: 'shop@example.com', to: 'ann@example.com', subject: 'Hi', text: 'Hi' }
const url = 'postmark+smtp://POSTMARK_API_TEST@default'

export const message: SendMailOptions = { ...mail, postmark: { tag: 'x', metadata: { a: 1, b: null } } }
export const options: Mail.Options = { ...mail, postmark: { tag: 'x' } }
// @ts-expect-error a misspelt field
export const wrongMessage: SendMailOptions = { ...mail, postmark: { tga: 'x' } }
// @ts-expect-error a misspelt field
export const wrongOptions: Mail.Options = { ...mail, postmark: { tga: 'x' } }

/** Each kind of transporter takes `postmark` in its messages, and keeps its own type when it is attached. */
export function transporters(any: Transporter, custom: Transporter<{ mine: 1 }>, mailer: Mail): void {
  const smtp = createTransport({ host: '127.0.0.1', port: 1 })
  const pool = createTransport({ host: '127.0.0.1', port: 1, pool: true })
  const stream = createTransport({ streamTransport: true, buffer: true })
  const json = createTransport({ jsonTransport: true })
  // @ts-expect-error a misspelt field
  void smtp.sendMail({ ...mail, postmark: { tga: 'x' } })
  // @ts-expect-error a misspelt field
  void pool.sendMail({ ...mail, postmark: { tga: 'x' } })
  // @ts-expect-error a tag is a string
  void stream.sendMail({ ...mail, postmark: { tag: 5 } })
  smtp.use('compile', (compiling, done) => {
    const tag: string | null | undefined = compiling.data.postmark?.tag
    done(tag === 'x' ? new Error(tag) : null)
  })

  const smtpToo: typeof smtp = attachPostmark(smtp)
  const poolToo: typeof pool = attachPostmark(pool)
  const streamToo: typeof stream = attachPostmark(stream)
  const jsonToo: typeof json = attachPostmark(json)
  const anyToo: Transporter = attachPostmark(any)
  const customToo: Transporter<{ mine: 1 }> = attachPostmark(custom)
  const mailerToo: Mail = attachPostmark(mailer)
  void [smtpToo, poolToo, streamToo, jsonToo, anyToo, customToo, mailerToo]

  const ours = createPostmarkTransport(url)
  const asTransporter: Transporter = ours
  const asSmtp: typeof smtp = ours
  const asMailer: Mail = ours
  const closed: Promise<void> = ours.close({ force: true })
  // @ts-expect-error a misspelt field
  void ours.sendMail({ ...mail, postmark: { tga: 'x' } })
  void [asTransporter, asSmtp, asMailer, closed]
}

/** `info` keeps its type and gains `postmark`, from the promise and in the callback. */
export async function infos(): Promise<void> {
  const smtp = attachPostmark(createTransport({ host: '127.0.0.1', port: 1 }))
  const info = await smtp.sendMail(message)
  const tag: string | undefined = info.postmark.tag
  const order: string | undefined = info.postmark.metadata?.order
  const id: string = info.messageId
  // @ts-expect-error info keeps its type
  const noId: number = info.messageId
  // @ts-expect-error and so has ours
  const noTag: number = info.postmark.tag
  void smtp.sendMail(message, (error, info) => {
    const tag: string | undefined = info.postmark.tag
    // @ts-expect-error info keeps its type
    const noId: number = info.messageId
    void [error, tag, noId]
  })
  const ours = await createPostmarkTransport(url).sendMail(message)
  const ids: string[] = [ours.messageId, ours.response, ...ours.accepted, ...ours.rejected]
  // @ts-expect-error no such property
  void [tag, order, id, noId, noTag, ids, ours.mesageId]
}

async function main(): Promise<void> {
  const sandbox = await startSandbox()
  const { host, port, token } = sandbox
  const own = createTransport({ host, port, auth: { user: token, pass: token }, ignoreTLS: true })
  const transporter = createPostmarkTransport(sandbox.url)
  const postmark = { tag: 'welcome', metadata: { 'order-id': 7 } }
  for (const sender of [attachPostmark(own), transporter]) {
    sandbox.clear()
    const send = () => sender.sendMail({ ...mail, postmark })
    const info = await runWithPostmark({ metadata: { tenantId: 'acme' } }, send)
    const wire = String((await sandbox.waitFor({ to: 'ann@example.com' })).raw)
    const lines = ['X-PM-Tag: welcome', 'X-PM-Metadata-tenantId: acme', 'X-PM-Metadata-order-id: 7']
    for (const line of lines) if (!wire.includes(`${line}\r\n`)) throw new Error(`no ${line} in\n${wire}`)
    if (info.postmark.tag !== 'welcome') throw new Error(JSON.stringify(info))
  }
  await transporter.close()
  await sandbox.close()
  console.log('wire ok')
}
void main()
