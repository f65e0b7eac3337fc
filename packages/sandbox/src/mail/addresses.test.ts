import { expect, it } from 'vitest'
import { readAddresses } from './addresses.js'
import { readRawFields } from './header-block.js'

it.each<[what: string, value: string, mailboxes: [address: string, name: string][]]>([
  [
    'with a comma in an encoded name',
    '=?UTF-8?Q?Doe=2C_Ann?= <ann@example.com>',
    [['ann@example.com', 'Doe, Ann']],
  ],
  [
    'with an address in an encoded name',
    '=?UTF-8?Q?bob=40example=2Eorg=2C?= <ann@example.com>',
    [['ann@example.com', 'bob@example.org,']],
  ],
  ['with a name in code page 850', '=?cp850?Q?J=81rgen?= <j@example.com>', [['j@example.com', 'Jürgen']]],
  ['with a name in windows-1252', '=?windows-1252?Q?=80uro?= <e@example.com>', [['e@example.com', '€uro']]],
  [
    'several, with a group',
    'a@example.com, G: b@example.com, "C, c" <c@example.com>;',
    [
      ['a@example.com', ''],
      ['b@example.com', ''],
      ['c@example.com', 'C, c'],
    ],
  ],
  ['without an address', 'My Shop', []],
])('reads mailboxes %s', (_what, value, mailboxes) => {
  const fields = readRawFields(Buffer.from(`To: ${value}\r\n\r\n`))
  expect(readAddresses(fields, 'to').map(({ address, name }) => [address, name])).toEqual(mailboxes)
})
