import { expect, it } from 'vitest'
import { readParts } from './mime-parts.js'

const read = (...lines: string[]) => {
  const raw = Buffer.from(lines.join('\r\n'))
  return readParts(raw)
}
const summary = (...lines: string[]) =>
  read(...lines).map((part) => [part.type, part.filename, part.decode().toString()])

it('reads the parts of nested multiparts, without what stands around them', () => {
  const lines = [
    'Content-Type: multipart/mixed; boundary="o uter"',
    '',
    'preamble',
    '--o uter',
    'Content-Type: Multipart/Alternative;',
    ' boundary=inner',
    '',
    '--inner',
    '',
    'plain',
    '--inner',
    'Content-Type: text/html',
    '',
    '<p>',
    '--inner--',
    '--o uter  ',
    'Content-Disposition: attachment; filename="a \\"b\\".pdf"',
    '',
    'file',
    '--o uter--',
    'epilogue',
    '--o uter',
  ]
  expect(summary(...lines)).toEqual([
    ['text/plain', undefined, 'plain'],
    ['text/html', undefined, '<p>'],
    ['text/plain', 'a "b".pdf', 'file'],
  ])
})

it.each([
  ['quoted', 'attachment; filename="a;b.txt"', 'a;b.txt'],
  ['bare', 'attachment; filename=a.txt ; size=1', 'a.txt'],
  ['in another case', 'attachment; FileName=a.txt', 'a.txt'],
  ['in an encoded word', 'attachment; filename="=?UTF-8?Q?=C3=BC.txt?="', 'ü.txt'],
  ['percent-encoded', "attachment; filename*=UTF-8''%C3%BC.txt", 'ü.txt'],
  ['in several pieces', 'attachment; filename*0="a."; filename*1=txt', 'a.txt'],
  ['in pieces that are encoded', "attachment; filename*0*=utf-8''%C3%BC; filename*1=.txt", 'ü.txt'],
  [
    'in pieces out of order',
    "attachment; filename*2=.txt; filename*0*=utf-8''%C3%BC; filename*1*=%C3%A4",
    'üä.txt',
  ],
  ['in pieces that split a character', "attachment; filename*0*=utf-8''a%C3; filename*1*=%BC.txt", 'aü.txt'],
  ['in pieces of which one is missing', 'attachment; filename*0=a; filename*2=c', 'a'],
  ['in Latin 1', "attachment; filename*=iso-8859-1'en'%FCber%20uns.txt", 'über uns.txt'],
  ['in windows-1252', "attachment; filename*=windows-1252''%80%20%93a%94.txt", '€ “a”.txt'],
  ['in Shift_JIS', "attachment; filename*0*=Shift_JIS''%93%FA; filename*1*=%96%7B.txt", '日本.txt'],
  ['in a charset that is not known', "attachment; filename*=klingon''%C3%BC.txt", 'ü.txt'],
  ['in both forms', "attachment; filename=old.txt; filename*=UTF-8''%C3%BC.txt", 'ü.txt'],
  [
    'in both forms, the other way round',
    "attachment; filename*=UTF-8''%C3%BC.txt; filename=old.txt",
    'ü.txt',
  ],
  [
    'in both forms and pieces',
    `attachment; filename="old.txt"; filename*0*=UTF-8''%C3%BC; filename*1=".txt"`,
    'ü.txt',
  ],
  ['twice', 'attachment; filename=a.txt; filename=b.txt', 'a.txt'],
  ['with apostrophes', "attachment; filename*=UTF-8''it's%20Ann's.txt", "it's Ann's.txt"],
  [
    'with apostrophes in a later piece',
    "attachment; filename*0*=UTF-8''rock; filename*1*='n'roll.txt",
    "rock'n'roll.txt",
  ],
  [
    'with apostrophes in plain pieces',
    `attachment; filename*0="rock'n'"; filename*1="roll.txt"`,
    "rock'n'roll.txt",
  ],
  ['encoded without a charset', 'attachment; filename*=%C3%BC.txt', 'ü.txt'],
  [
    'encoded without a charset, with apostrophes',
    "attachment; filename*=rock'n'roll%20%C3%BC.txt",
    "rock'n'roll ü.txt",
  ],
  ['encoded and quoted', `attachment; filename*="UTF-8''%C3%BC.txt"`, 'ü.txt'],
  ['badly encoded', "attachment; filename*=UTF-8''100%.txt", '100%.txt'],
  ['that is not what its charset says', "attachment; filename*=UTF-8''%E4.txt", '\ufffd.txt'],
  [
    'in an encoded word that holds a quotation mark',
    'attachment; filename="=?UTF-8?Q?=22a=22=3B.txt?="',
    '"a";.txt',
  ],
  ['in an encoded word of code page 850', 'attachment; filename="=?cp850?Q?=81ber.txt?="', 'über.txt'],
  ['without an end', 'attachment; filename="a b.txt', 'a b.txt'],
])('reads a file name %s', (_, disposition, name) => {
  expect(read(`Content-Disposition: ${disposition}`, '', '')[0]?.filename).toBe(name)
})

it('gives a name that only the type has', () => {
  expect(read("Content-Type: application/pdf; name*=iso-8859-1''%FC.pdf", '', '')[0]?.filename).toBe('ü.pdf')
})

it('reads what ends its lines in LF only', () => {
  const lines = [
    'Content-Type: multipart/mixed; boundary=b',
    '',
    '--b',
    '',
    'plain',
    '--b',
    'Content-Type: text/html',
  ]
  const raw = Buffer.from([...lines, '', '<p>', '--b--', ''].join('\n'))
  expect(readParts(raw).map((part) => [part.type, part.decode().toString()])).toEqual([
    ['text/plain', 'plain'],
    ['text/html', '<p>'],
  ])
})

it.each([
  ['base64', 'SGVs\r\nbG8=', 'Hello'],
  ['Quoted-Printable', 'a=3Db=\r\nc=\nd=C3=BC=zz=4', 'a=bcdü=zz=4'],
  ['8bit', 'ü=3D', 'ü=3D'],
])('decodes %s', (encoding, body, text) => {
  expect(read(`Content-Transfer-Encoding: ${encoding}`, '', body)[0]?.decode().toString()).toBe(text)
})

it('takes a part without a body, and a message that ends early', () => {
  expect(summary('Content-Type: multipart/mixed; boundary=b', '', '--b', 'X: 1')).toEqual([
    ['text/plain', undefined, ''],
  ])
  expect(summary('Content-Type: multipart/mixed', '', 'x')).toEqual([['multipart/mixed', undefined, 'x']])
})

it('stops at twenty levels and a thousand parts', () => {
  const deep = Array.from({ length: 50 }, (_, i) => [
    `Content-Type: multipart/a; boundary=b${i}`,
    '',
    `--b${i}`,
  ])
  expect(read(...deep.flat(), '', 'x')).toHaveLength(1)
  const wide = Array.from({ length: 5000 }, () => ['--b', '', 'x'])
  expect(read('Content-Type: multipart/a; boundary=b', '', ...wide.flat())).toHaveLength(1000)
})
