import { createTransport } from 'nodemailer'
import { describe, expect, it } from 'vitest'
import { startSandbox } from './sandbox.js'
import { webhookPayload } from './server/webhook-payload.js'
import type { PayloadKind } from './server/webhook-samples.js'

/** An email as a mailer of another language writes it, and what the sandbox makes of it. */
interface ForeignMail {
  readonly lines: readonly string[]
  readonly expected: object
  readonly content: { readonly text: string; readonly html?: string; readonly files: readonly string[] }
}

const MAILS: Readonly<Record<string, ForeignMail>> = {
  'Symfony’s Postmark bridge': {
    lines: [
      'From: =?utf-8?Q?B=C3=A4ckerei?= <shop@example.com>',
      'To: =?utf-8?Q?J=C3=BCrgen_M=C3=BCller=2C_Einkauf?= <ann@example.com>',
      'Subject: =?utf-8?Q?Ihre_Bestellung_=E2=82=AC_42_ist_unterwegs_und_kommt_morgen_oder?=',
      ' =?utf-8?Q?_=C3=BCbermorgen?=',
      'X-PM-KeepID: true',
      'X-PM-Tag: order-shipped',
      'X-PM-Metadata-Order-Id: 42',
      'X-PM-Message-Stream: outbound',
      'Message-ID: <c5f1d4b0@example.com>',
      'MIME-Version: 1.0',
      'Date: Sun, 01 Mar 2026 09:15:30 +0000',
      'Content-Type: multipart/mixed; boundary=aZ1_x',
      '',
      '--aZ1_x',
      'Content-Type: multipart/related; boundary=bY2_x',
      '',
      '--bY2_x',
      'Content-Type: multipart/alternative; boundary=cX3_x',
      '',
      '--cX3_x',
      'Content-Type: text/plain; charset=utf-8',
      'Content-Transfer-Encoding: quoted-printable',
      '',
      'Gr=C3=BC=C3=9Fe',
      '--cX3_x',
      'Content-Type: text/html; charset=utf-8',
      'Content-Transfer-Encoding: quoted-printable',
      '',
      '<p>Gr=C3=BC=C3=9Fe <img src=3D"cid:logo@symfony"></p>',
      '--cX3_x--',
      '--bY2_x',
      'Content-Type: image/png; name=logo@symfony',
      'Content-Transfer-Encoding: base64',
      'Content-ID: <logo@symfony>',
      'Content-Disposition: inline; name=logo@symfony; filename=logo@symfony',
      '',
      'iVBORw==',
      '--bY2_x--',
      '--aZ1_x',
      'Content-Type: application/pdf; name="=?utf-8?Q?Rechnung_M=C3=A4rz=2Epdf?="',
      'Content-Transfer-Encoding: base64',
      'Content-Disposition: attachment;',
      " name*=utf-8''Rechnung%20M%C3%A4rz.pdf; filename*=utf-8''Rechnung%20M%C3%A4rz.pdf",
      '',
      'JVBERi0=',
      '--aZ1_x--',
    ],
    expected: {
      from: 'shop@example.com',
      to: ['ann@example.com'],
      subject: 'Ihre Bestellung € 42 ist unterwegs und kommt morgen oder übermorgen',
      postmark: {
        keepId: true,
        tag: 'order-shipped',
        metadata: { 'Order-Id': '42' },
        messageStream: 'outbound',
      },
    },
    content: {
      text: 'Grüße',
      html: '<p>Grüße <img src="cid:logo@symfony"></p>',
      files: ['logo@symfony', 'Rechnung März.pdf'],
    },
  },
  'Django and Python’s email package': {
    lines: [
      'Content-Type: multipart/mixed; boundary="===============7330845974216740156=="',
      'MIME-Version: 1.0',
      'Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=',
      'From: Shop <shop@example.com>',
      'To: ann@example.com',
      'Date: Sun, 01 Mar 2026 09:15:30 -0000',
      'Message-ID: <177235653000.12.3456@web-1>',
      'X-PM-Tag: welcome',
      'X-PM-Metadata-user-id: 7',
      'X-PM-TrackOpens: true',
      '',
      '--===============7330845974216740156==',
      'Content-Type: text/plain; charset="utf-8"',
      'MIME-Version: 1.0',
      'Content-Transfer-Encoding: 8bit',
      '',
      'Grüße',
      '',
      '--===============7330845974216740156==',
      'Content-Type: text/csv',
      'MIME-Version: 1.0',
      'Content-Transfer-Encoding: base64',
      'Content-Disposition: attachment;',
      " filename*0*=utf-8''%C3%BCbersicht%20der%20Bestellungen%20im%20M%C3%A4rz%20u;",
      ' filename*1*=nd%20im%20April.csv',
      '',
      'YTti',
      '--===============7330845974216740156==--',
    ],
    expected: {
      subject: 'Grüße',
      postmark: { tag: 'welcome', metadata: { 'user-id': '7' }, trackOpens: true },
    },
    content: { text: 'Grüße\n', files: ['übersicht der Bestellungen im März und im April.csv'] },
  },
  'Rails and Ruby’s mail gem': {
    lines: [
      'Date: Sun, 01 Mar 2026 09:15:30 +0000',
      'From: shop@example.com',
      'To: ann@example.com',
      'Message-ID: <69a40b12@web.mail>',
      'Subject: =?UTF-8?Q?Gr=C3=BC=C3=9Fe?=',
      'Mime-Version: 1.0',
      'Content-Type: multipart/mixed;',
      ' boundary="--==_mimepart_69a40b12_1a";',
      ' charset=UTF-8',
      'Content-Transfer-Encoding: 7bit',
      'X-PM-Message-Stream: broadcast',
      '',
      '',
      '----==_mimepart_69a40b12_1a',
      'Content-Type: text/plain;',
      ' charset=UTF-8',
      'Content-Transfer-Encoding: base64',
      '',
      'R3LDvMOfZQo=',
      '',
      '----==_mimepart_69a40b12_1a',
      'Content-Type: application/pdf;',
      ' filename="=?UTF-8?B?w5xiZXJzaWNodC5wZGY=?="',
      'Content-Transfer-Encoding: base64',
      'Content-Disposition: attachment;',
      ' filename="=?UTF-8?B?w5xiZXJzaWNodC5wZGY=?="',
      '',
      'JVBERi0=',
      '',
      '----==_mimepart_69a40b12_1a--',
    ],
    expected: { subject: 'Grüße', stream: 'broadcast' },
    content: { text: 'Grüße\n', files: ['Übersicht.pdf'] },
  },
  'PHPMailer in Latin 1': {
    lines: [
      'Date: Sun, 1 Mar 2026 10:15:30 +0100',
      'To: =?iso-8859-1?Q?J=FCrgen?= <ann@example.com>',
      'From: =?iso-8859-1?Q?B=E4ckerei_=80?= <shop@example.com>',
      'Subject: =?iso-8859-1?Q?Gr=FC=DFe?=',
      'X-Mailer: PHPMailer 6.9.1',
      'X-PM-Tag: welcome',
      'MIME-Version: 1.0',
      'Content-Type: multipart/mixed;',
      ' boundary="b1=_q"',
      'Content-Transfer-Encoding: 8bit',
      '',
      '--b1=_q',
      'Content-Type: text/plain; charset=iso-8859-1',
      'Content-Transfer-Encoding: quoted-printable',
      '',
      'Gr=FC=DFe f=FCr =80 5',
      '',
      '--b1=_q',
      'Content-Type: text/plain; name="=?iso-8859-1?Q?=FCbersicht.txt?="',
      'Content-Transfer-Encoding: base64',
      'Content-Disposition: attachment; filename="=?iso-8859-1?Q?=FCbersicht.txt?="',
      '',
      'YQ==',
      '',
      '--b1=_q--',
    ],
    expected: { subject: 'Grüße', postmark: { tag: 'welcome' } },
    content: { text: 'Grüße für € 5\n', files: ['übersicht.txt'] },
  },
  'JavaMail in Japanese': {
    lines: [
      'Message-ID: <1.2.3.JavaMail.app@web-1>',
      'From: shop@example.com',
      'To: ann@example.com',
      'Subject: =?ISO-2022-JP?B?GyRCJDMkcyRLJEEkTxsoQg==?=',
      'MIME-Version: 1.0',
      'Content-Type: multipart/mixed; ',
      '\tboundary="----=_Part_0_1"',
      'X-PM-Tag: welcome',
      '',
      '------=_Part_0_1',
      'Content-Type: text/plain; charset=windows-31j',
      'Content-Transfer-Encoding: base64',
      '',
      'grGC8YLJgr+CzYdA',
      '------=_Part_0_1',
      "Content-Type: text/plain; name*=windows-31j''%93%FA%96%7B.txt",
      'Content-Transfer-Encoding: 7bit',
      "Content-Disposition: attachment; filename*=windows-31j''%93%FA%96%7B.txt",
      '',
      'a',
      '------=_Part_0_1--',
    ],
    expected: { subject: 'こんにちは', postmark: { tag: 'welcome' } },
    content: { text: 'こんにちは①', files: ['日本.txt'] },
  },
}

describe('an email of', () => {
  it.each(Object.entries(MAILS))('%s is read as it was meant', async (_who, { lines, expected, content }) => {
    await using sandbox = await startSandbox()
    const { host, port, token } = sandbox
    const transport = createTransport({ host, port, ignoreTLS: true, auth: { user: token, pass: token } })
    const envelope = { from: 'shop@example.com', to: 'ann@example.com' }
    await transport.sendMail({ envelope, raw: Buffer.from([...lines, ''].join('\r\n')) })
    const [mail] = sandbox.outbox
    expect(mail).toMatchObject({ ...expected, verdict: { outcome: 'sent' } })
    const { text, html, attachments } = await mail!.parse()
    expect({ text, html, files: attachments.map(({ filename }) => filename) }).toEqual({
      html: undefined,
      ...content,
    })
  })
})

const KINDS: PayloadKind[] = [
  ...(['Delivery', 'Bounce', 'SMTPApiError', 'SpamComplaint'] as const),
  ...(['Open', 'Click', 'SubscriptionChange'] as const),
]
const TIMES: Readonly<Record<string, string>> = {
  Delivery: 'DeliveredAt',
  Bounce: 'BouncedAt',
  SpamComplaint: 'BouncedAt',
  Open: 'ReceivedAt',
  Click: 'ReceivedAt',
  SubscriptionChange: 'ChangedAt',
}

describe('a webhook of the kind', () => {
  it.each(KINDS)('%s has what the Postmark bridge of Symfony reads', (kind) => {
    const payload = webhookPayload(kind)
    const { RecordType, MessageID, Recipient, Email, Metadata, Tag } = payload
    expect([RecordType, MessageID, Recipient ?? Email, Tag]).toEqual(Array(4).fill(expect.any(String)))
    expect(Metadata).toEqual(expect.any(Object))
    // It takes none, six or seven digits of a second.
    expect(payload[TIMES[RecordType as string]!]).toMatch(
      /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6,7})?(Z|[+-]\d\d:\d\d)$/,
    )
  })

  it.each(KINDS)('%s has what django-anymail reads', (kind) => {
    const payload = webhookPayload(kind)
    const wanted: Readonly<Record<string, readonly string[]>> = {
      Delivery: ['Recipient', 'Details', 'Tag', 'Metadata'],
      Bounce: ['ID', 'Type', 'Email', 'Description', 'Details'],
      SpamComplaint: ['ID', 'Type', 'Email', 'Description', 'Details'],
      Open: ['Recipient', 'UserAgent', 'Client', 'Geo'],
      Click: ['Recipient', 'UserAgent', 'OriginalLink'],
      SubscriptionChange: ['Recipient', 'Origin', 'SuppressSending', 'SuppressionReason'],
    }
    expect(Object.keys(payload)).toEqual(expect.arrayContaining([...wanted[payload.RecordType as string]!]))
    expect(Number.isNaN(Date.parse(String(payload[TIMES[payload.RecordType as string]!])))).toBe(false)
    // By this key it knows an inbound email that was posted to the wrong address.
    expect(payload).not.toHaveProperty('FromFull')
  })
})
