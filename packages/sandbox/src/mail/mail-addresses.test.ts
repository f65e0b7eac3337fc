import { expect, it } from 'vitest'
import { readRawFields } from './header-block.js'
import { readMailAddresses } from './mail-addresses.js'

const read = (header: string, recipients: string[]) =>
  readMailAddresses(readRawFields(Buffer.from(`${header}\r\n\r\n`)), recipients)

it('reads names and addresses of each field', () => {
  const found = read(
    'From: =?utf-8?q?Gr=C3=BC=C3=9Fe?= <a@x.org>\r\nReply-To: "B, b" <b@x.org>\r\nTo: c@x.org\r\nCc: D <d@x.org>, e@x.org',
    ['c@x.org', 'D@X.org', 'e@x.org'],
  )
  expect(found).toEqual({
    from: [{ name: 'Grüße', address: 'a@x.org' }],
    replyTo: [{ name: 'B, b', address: 'b@x.org' }],
    to: [{ name: '', address: 'c@x.org' }],
    cc: [
      { name: 'D', address: 'd@x.org' },
      { name: '', address: 'e@x.org' },
    ],
    bcc: [],
  })
})

it('takes recipients that no line names for Bcc, each once', () => {
  const { bcc } = read('To: a@x.org\r\nBcc: B <b@x.org>', ['a@x.org', 'b@x.org', 'c@x.org', 'C@x.org'])
  expect(bcc).toEqual([
    { name: 'B', address: 'b@x.org' },
    { name: '', address: 'c@x.org' },
  ])
})
