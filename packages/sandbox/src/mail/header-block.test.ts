import { expect, it } from 'vitest'
import { readHeaderBlock } from './header-block.js'

it.each<[string, string | Buffer, [string, string][]]>([
  [
    'plain fields in their order',
    'A: 1\r\nB:2\r\n\r\nC: 3\r\n',
    [
      ['A', '1'],
      ['B', '2'],
    ],
  ],
  [
    'a folded value, keeping its white space',
    'A: one\r\n  two\r\n\tthree\r\n\r\n',
    [['A', 'one  two\tthree']],
  ],
  ['a value that stands on the next line', 'A:\r\n value\r\n\r\n', [['A', 'value']]],
  [
    'encoded words, also over a fold',
    'A: =?UTF-8?Q?Gr=C3=BC?=\r\n =?UTF-8?B?w59l?=\r\n\r\n',
    [['A', 'Grüße']],
  ],
  ['words of one charset together', 'A: =?utf-8?B?w5/D?= =?utf-8?Q?=BC?= x\r\n\r\n', [['A', 'ßü x']]],
  ['words of two charsets', 'A: =?utf-8?Q?=C3=BC?= =?cp850?Q?=81?=\r\n\r\n', [['A', 'üü']]],
  ['a word with a language', 'A: a =?iso-8859-1*de?q?=FC_=80?= b\r\n\r\n', [['A', 'a ü € b']]],
  [
    'words of an unknown charset as they came',
    'A: =?klingon?Q?a?= =?klingon?Q?b?=\r\n\r\n',
    [['A', '=?klingon?Q?a?= =?klingon?Q?b?=']],
  ],
  [
    'raw windows-1252',
    Buffer.from('A: \x80 \xfc\r\nB: b\r\n\r\n', 'latin1'),
    [
      ['A', '€ ü'],
      ['B', 'b'],
    ],
  ],
  [
    'lines that end in LF',
    'A: one\n two\nB: b\n\nC: c\r\n\r\n',
    [
      ['A', 'one two'],
      ['B', 'b'],
    ],
  ],
  ['no block before an LF', '\nA: 1\n\n', []],
  ['a block that ends in LF and CRLF', 'A: 1\n\r\nB: 2\n\n', [['A', '1']]],
  ['raw UTF-8', 'A: Grüße\r\n\r\n', [['A', 'Grüße']]],
  ['colons in the value', 'A: b: c\r\n\r\n', [['A', 'b: c']]],
  ['a block without an end', 'A: 1', [['A', '1']]],
  ['no block at all', '\r\nA: 1\r\n\r\n', []],
  ['an empty message', '', []],
  ['lines that are no field', 'From me\r\n: x\r\nA: 1\r\n\r\n', [['A', '1']]],
])('reads %s', (_, raw, fields) => {
  expect(readHeaderBlock(Buffer.isBuffer(raw) ? raw : Buffer.from(raw))).toEqual(
    fields.map(([key, value]) => ({ key, value })),
  )
})
