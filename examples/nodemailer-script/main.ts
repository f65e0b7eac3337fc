import { attachPostmark, createPostmarkTransport, runWithPostmark, updatePostmark } from '@postmark-smtp/core'
import { postmark } from '@postmark-smtp/nodemailer'
import { type Sandbox, startSandbox } from '@postmark-smtp/sandbox'
import { createTransport, type Transporter } from 'nodemailer'

const mail = { from: 'shop@example.com', to: 'customer@example.com', text: 'Thank you.' }

/** A function far below the request: it knows the mail, and nothing of tags or tenants. */
async function sendReceipt(transporter: Transporter, order: string): Promise<void> {
  await transporter.sendMail({ ...mail, subject: `Order ${order}` })
}

/** What a web server does for each request: open a scope, learn who it is, do the work. */
function handleRequest(tenant: string, work: () => Promise<void>): Promise<void> {
  return runWithPostmark({ tag: 'receipt', metadata: { tenant } }, async () => {
    updatePostmark({ metadata: { 'request-id': `req-${tenant}` } })
    await work()
  })
}

/** Sends in three ways to a local server, and prints the Postmark headers that it received. */
export async function main(print: (line: string) => void): Promise<void> {
  await using sandbox = await startSandbox()

  // 1. The transport of @postmark-smtp/core: in production the URL is postmark+smtp://TOKEN@default
  const transporter = createPostmarkTransport(sandbox.url)
  await Promise.all([
    handleRequest('acme', () => sendReceipt(transporter, '1001')),
    handleRequest('umbrella', () => sendReceipt(transporter, '1002')),
  ])
  await transporter.sendMail({ ...mail, subject: 'No request', postmark: { tag: 'script', keepId: true } })
  await transporter.close()

  // 2. A transporter of your own, with the plugin
  const own = connect(sandbox)
  own.use('compile', postmark({ defaults: { messageStream: 'receipts' } }))
  await handleRequest('initech', () => sendReceipt(own, '1003'))
  own.close()

  // 3. The same with attachPostmark, which also fills info.postmark
  const attached = attachPostmark(connect(sandbox), { correlationId: true })
  const info = await attached.sendMail({
    ...mail,
    subject: 'Order 1004',
    postmark: { trackLinks: 'HtmlOnly' },
  })
  attached.close()

  for (const received of sandbox.outbox) {
    print(`${received.subject}`)
    for (const { key, value } of received.headers) if (/^x-pm-/i.test(key)) print(`  ${key}: ${value}`)
  }
  const { correlationId, warnings } = info.postmark
  print(
    `${sandbox.outbox.length} mails received, ${warnings.length} warnings, correlation ID ${correlationId?.length} characters`,
  )
}

/** A plain SMTP transporter, as an application has one already. */
function connect({ host, port, ca, token }: Sandbox): Transporter {
  return createTransport({ host, port, requireTLS: true, tls: { ca }, auth: { user: token, pass: token } })
}

if (process.argv[1] === new URL(import.meta.url).pathname) await main(console.log)
