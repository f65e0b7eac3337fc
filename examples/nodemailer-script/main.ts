import { isPostmarkError, postmark, runWithPostmark, updatePostmark } from '@postmark-smtp/nodemailer'
import { type SandboxMail, startSandbox } from '@postmark-smtp/sandbox'
import { createTransport, type SendMailOptions, type Transporter } from 'nodemailer'
import { toTable } from './table.js'

const mail = { from: 'shop@example.com', to: 'customer@example.com', text: 'Thank you.' }

/** Sends five mails through a Nodemailer transporter with the plugin. */
async function sendAll(
  transporter: Transporter,
  report: (subject: string, verdict: string) => void,
): Promise<void> {
  const send = async (message: SendMailOptions & { subject: string }) => {
    try {
      await transporter.sendMail({ ...mail, ...message })
    } catch (error) {
      if (!isPostmarkError(error)) throw error
      const [problem] = error.problems
      report(message.subject, `refused here: ${problem?.path} ${problem?.found} (${problem?.limit})`)
    }
  }

  // A mail that asks for nothing: the defaults of the plugin apply.
  await send({ subject: 'Plain' })

  // The scope of a request: whatever is sent below it carries its fields.
  await runWithPostmark({ tag: 'checkout', metadata: { tenant: 'acme' } }, async () => {
    updatePostmark({ metadata: { 'request-id': 'req-1' } })
    await send({ subject: 'Order 1001' })
  })

  // Fields on the message itself.
  await send({
    subject: 'Invoice',
    html: '<p>Your invoice is attached.</p>',
    attachments: [{ filename: 'invoice.txt', content: 'Total: 12 EUR' }],
    postmark: { tag: 'invoice', trackOpens: true, keepId: true },
  })

  // Another stream.
  await send({
    subject: 'Newsletter',
    postmark: { messageStream: 'broadcast', tag: 'news', trackLinks: 'HtmlAndText' },
  })

  // Postmark would answer 250 to this one, and bounce it later.
  await send({ subject: 'Too long', postmark: { metadata: { note: 'x'.repeat(81) } } })
}

/** Starts a local server, sends to it, and prints what it received. */
export async function main(print: (line: string) => void): Promise<void> {
  await using sandbox = await startSandbox()
  const { host, port, ca, token } = sandbox
  const transporter = createTransport({
    host,
    port,
    requireTLS: true,
    tls: { ca },
    auth: { user: token, pass: token },
  })
  transporter.use('compile', postmark({ defaults: { messageStream: 'outbound' } }))

  const refused: string[][] = []
  await sendAll(transporter, (subject, verdict) => refused.push([subject, '', '', '', verdict]))
  transporter.close()

  const received = sandbox.outbox.map(toRow)
  for (const line of toTable(['subject', 'stream', 'tag', 'metadata', 'verdict'], [...received, ...refused]))
    print(line)
}

/** What the server read from the headers that arrived. */
function toRow({ subject, postmark: fields, id }: SandboxMail): string[] {
  const metadata = Object.entries(fields.metadata ?? {}).map(([key, value]) => `${key}=${value}`)
  return [
    subject,
    fields.messageStream ?? '',
    fields.tag ?? '',
    metadata.join(' '),
    `accepted, queued as ${id}`,
  ]
}

if (process.argv[1] === new URL(import.meta.url).pathname) await main(console.log)
