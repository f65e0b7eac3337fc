import { attachPostmark, POSTMARK_FIELDS, runWithPostmark } from '@postmark-smtp/core'
import { postmark } from '@postmark-smtp/nodemailer'
import { createTransport } from 'nodemailer'
import { type Contender, measure } from './measure.js'
import type { Section } from './section.js'
import type { SmtpSink } from './smtp-sink.js'

const message = {
  from: 'shop@example.com',
  to: 'customer@example.com',
  subject: 'Your order has been sent',
  text: 'Hello,\n\nyour order is on its way.\n',
  html: '<p>Hello,</p><p>your order is on its way.</p>',
}

/** What header injection adds, with 0, 3 and 10 metadata fields. */
export async function measureHeaders({ name: sink, port }: SmtpSink): Promise<Section> {
  const rows: (string | number)[][] = []
  for (const fields of [0, 3, 10]) {
    const { contenders, close } = headerContenders(port, fields)
    const results = await measure(contenders, {
      rounds: 12,
      perRound: 300,
      concurrency: 5,
      warmUp: 3000,
      leadIn: 100,
    })
    close()
    const plain = results[0]!
    rows.push(
      ...results.map(({ name, cpuMicros, perSecond }) => [
        `${fields} fields`,
        name,
        cpuMicros,
        perSecond,
        cpuMicros / plain.cpuMicros,
      ]),
    )
  }
  return {
    title: `Header injection, CPU per email, to ${sink}`,
    headings: ['fields', 'sent by', 'CPU \u00b5s/mail', 'mails/s', 'CPU vs. plain'],
    rows,
    charts: [{ column: 4, better: 'lower' }],
  }
}

/** Header injection against plain Nodemailer with the same headers; plain is measured twice, to show the noise. */
function headerContenders(port: number, fields: number): { contenders: Contender[]; close(): void } {
  const connect = () =>
    createTransport({
      host: '127.0.0.1',
      port,
      ignoreTLS: true,
      pool: true,
      maxConnections: 5,
      maxMessages: Infinity,
    })
  const metadata = (index: number) =>
    Object.fromEntries(Array.from({ length: fields }, (_, key) => [`key-${key}`, `value ${index} of ${key}`]))
  const headers = (index: number) =>
    Object.fromEntries(
      Object.entries(metadata(index)).map(([key, value]) => [POSTMARK_FIELDS.metadata.header + key, value]),
    )

  const plain = connect()
  const plugin = connect()
  plugin.use('compile', postmark())
  const attached = attachPostmark(connect())
  const scoped = attachPostmark(connect())
  const contenders: Contender[] = [
    { name: 'plain Nodemailer', send: (index) => plain.sendMail({ ...message, headers: headers(index) }) },
    {
      name: 'plugin',
      send: (index) => plugin.sendMail({ ...message, postmark: { metadata: metadata(index) } }),
    },
    {
      name: 'attachPostmark',
      send: (index) => attached.sendMail({ ...message, postmark: { metadata: metadata(index) } }),
    },
    {
      name: 'attachPostmark, from a scope',
      send: (index) => runWithPostmark({ metadata: metadata(index) }, () => scoped.sendMail(message)),
    },
    {
      name: 'plain Nodemailer again',
      send: (index) => plain.sendMail({ ...message, headers: headers(index) }),
    },
  ]
  return {
    contenders,
    close: () => {
      for (const transporter of [plain, plugin, attached, scoped]) transporter.close()
    },
  }
}
