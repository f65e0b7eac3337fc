import {
  explainPostmark,
  type FieldOrigins,
  isPostmarkError,
  postmark,
  runWithPostmark,
  updatePostmark,
} from '@postmark-smtp/nodemailer'
import { type SandboxMail, startSandbox } from '@postmark-smtp/sandbox'
import { createTransport, type SendMailOptions, type Transporter } from 'nodemailer'

const mail = { from: 'shop@example.com', to: 'customer@example.com', text: 'Thank you.' }

/** Sends five emails through a Nodemailer transporter with the plugin. */
async function sendAll(
  transporter: Transporter,
  note: (subject: string, origins: FieldOrigins) => void,
): Promise<void> {
  const send = async (message: SendMailOptions & { subject: string }) => {
    note(message.subject, explainPostmark(message))
    await transporter.sendMail({ ...mail, ...message })
  }

  // A message without any fields: the defaults of the plugin apply.
  await send({ subject: 'Plain' })

  // The scope of a request: every email sent within it carries its fields.
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

  // Postmark would answer this one with 250 and bounce it later.
  await send({ subject: 'Too long', postmark: { metadata: { note: 'x'.repeat(81) } } })
}

/** Starts a local server, sends to it, and prints what it received and what was not sent. */
export async function main(
  print: (line: string) => void,
  report: (mail: SandboxMail, origins: FieldOrigins) => void = () => {},
): Promise<void> {
  await using sandbox = await startSandbox()
  const { host, port, ca, token } = sandbox
  const auth = { user: token, pass: token }
  const transporter = createTransport({ host, port, requireTLS: true, tls: { ca }, auth })
  transporter.use('compile', postmark({ defaults: { messageStream: 'outbound' } }))

  const origins = new Map<string, FieldOrigins>()
  try {
    await sendAll(transporter, (subject, found) => origins.set(subject, found))
  } catch (error) {
    if (!isPostmarkError(error)) throw error
    const [problem] = error.problems
    print(`Not sent: ${problem?.path} ${problem?.found} (expected: ${problem?.limit})`)
  }
  transporter.close()
  for (const received of sandbox.outbox) {
    print(`${received.subject}: ${JSON.stringify(received.postmark)}`)
    report(received, origins.get(received.subject) ?? {})
  }
}

if (process.argv[1] === import.meta.filename) await main(console.log)
