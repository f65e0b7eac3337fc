import { createTransport, type Transporter } from 'nodemailer'
import { describe, expect, it } from 'vitest'
import { runWithPostmark } from '../context/context.js'
import { attachPostmark } from './attach.js'
import { createCompileStep } from './compile-step.js'
import { type MailRecord, recordOf } from './mail-record.js'

const message = { from: 'a@example.com', to: 'b@example.com', subject: 'Hello', text: 'Hello' }

interface Seen {
  readonly data: Record<string, unknown>
  readonly record: MailRecord | undefined
}

/** A transport that keeps what it is given. */
function createKeeper() {
  const seen: Seen[] = []
  const transport = {
    name: 'SMTP',
    version: '1',
    send(mail: { data: Record<string, unknown> }, done: (error: Error | null, info: object) => void) {
      seen.push({ data: mail.data, record: recordOf(mail) })
      done(null, {})
    },
  }
  return { seen, transporter: createTransport(transport as never) as Transporter }
}

const viaPlugin = (transporter: Transporter) => {
  transporter.use('compile', createCompileStep())
  return transporter
}

describe.each([
  ['attachPostmark', attachPostmark as (transporter: Transporter) => Transporter],
  ['the compile step alone', viaPlugin],
])('the record of an email, with %s', (_name, attach) => {
  it('is there when the transport gets the email, with what the compile step decided', async () => {
    const { seen, transporter } = createKeeper()
    await runWithPostmark({ tag: 'scope' }, () =>
      attach(transporter).sendMail({ ...message, postmark: { metadata: { id: '1' } } } as object),
    )
    expect(seen[0]!.record).toMatchObject({
      handedOver: true,
      result: {
        fields: { tag: 'scope', metadata: { id: '1' } },
        lines: ['X-PM-Tag: scope', 'X-PM-Metadata-id: 1'],
        warnings: [],
      },
    })
    expect(seen[0]!.data.postmark).toEqual({ tag: 'scope', metadata: { id: '1' } })
  })

  it('belongs to one email: the same data sent again is compiled again', async () => {
    const { seen, transporter } = createKeeper()
    attach(transporter)
    await runWithPostmark({ tag: 'first' }, () => transporter.sendMail(message))
    const { postmark: _first, headers: _headers, ...data } = seen[0]!.data
    await runWithPostmark({ tag: 'second' }, () => transporter.sendMail(data))
    expect(seen.map(({ record }) => record?.result?.fields.tag)).toEqual(['first', 'second'])
    expect(seen[0]!.record).not.toBe(seen[1]!.record)
  })

  it('stays out of the output of a JSON transport', async () => {
    const transporter = attach(createTransport({ jsonTransport: true }) as unknown as Transporter)
    const { message: json } = await transporter.sendMail({ ...message, postmark: { tag: 'a' } } as object)
    expect(JSON.parse(json)).toMatchObject({ headers: { 'X-PM-Tag': 'a' }, postmark: { tag: 'a' } })
    expect(json).not.toContain('@postmark-smtp')
  })
})
