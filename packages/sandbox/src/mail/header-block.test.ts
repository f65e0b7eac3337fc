import { expect, it } from 'vitest'
import { readHeaderBlock } from './header-block.js'

it.each<[string, string, [string, string][]]>([
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
  ['raw UTF-8', 'A: Grüße\r\n\r\n', [['A', 'Grüße']]],
  ['colons in the value', 'A: b: c\r\n\r\n', [['A', 'b: c']]],
  ['a block without an end', 'A: 1', [['A', '1']]],
  ['no block at all', '\r\nA: 1\r\n\r\n', []],
  ['an empty message', '', []],
  ['lines that are no field', 'From me\r\n: x\r\nA: 1\r\n\r\n', [['A', '1']]],
])('reads %s', (_, raw, fields) => {
  expect(readHeaderBlock(Buffer.from(raw))).toEqual(fields.map(([key, value]) => ({ key, value })))
})
