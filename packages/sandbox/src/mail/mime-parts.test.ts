import { expect, it } from 'vitest'
import { readHeaderBlock } from './header-block.js'
import { readParts } from './mime-parts.js'

const read = (...lines: string[]) => {
  const raw = Buffer.from(lines.join('\r\n'))
  return readParts(raw, readHeaderBlock(raw))
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
  ['badly encoded', "attachment; filename*=UTF-8''%E4%.txt", "UTF-8''%E4%.txt"],
])('reads a file name %s', (_, disposition, name) => {
  expect(read(`Content-Disposition: ${disposition}`, '', '')[0]?.filename).toBe(name)
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
