import fc from 'fast-check'
import { expect, it } from 'vitest'
import { BodyEncoder, END_OF_BODY, encodeBody } from './body-encoder.js'

/** What a body should be on the wire, the slow way. */
function reference(text: string): string {
  const lines = text.split(/\r\n|\r|\n/)
  // What follows the last break is no line where it is empty; a text without any is one line.
  if (lines.length > 1 && lines.at(-1) === '') lines.pop()
  return `${lines.map((line) => (line.startsWith('.') ? `.${line}` : line)).join('\r\n')}\r\n.\r\n`
}

const sizeOf = (text: string) =>
  Buffer.byteLength(text.replace(/\r\n|\r|\n/g, '\r\n').replace(/(?:\r\n)?$/, '\r\n'))

/** Pushes the bytes in chunks of these sizes. */
function encode(bytes: Buffer, sizes: readonly number[]) {
  const encoder = new BodyEncoder()
  const parts: Buffer[] = []
  for (let at = 0, turn = 0; at < bytes.length; turn++) {
    const size = sizes[turn % sizes.length]!
    parts.push(encoder.push(bytes.subarray(at, at + size)))
    at += size
  }
  return { wire: Buffer.concat(parts).toString() + END_OF_BODY, encoder }
}

const texts = fc
  .array(fc.constantFrom('\r', '\n', '\r\n', '.', '..', 'a', 'ü', 'Subject: x', ' '), { maxLength: 40 })
  .map((parts) => parts.join(''))
const sizes = fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 7 })

it('encodes as the slow way does, whatever the text and wherever it is split', () => {
  fc.assert(
    fc.property(texts, sizes, (text, each) => {
      const { wire, encoder } = encode(Buffer.from(text), each)
      expect(wire).toBe(reference(text))
      expect(encoder.size + 2).toBe(sizeOf(text))
      expect(encoder.has8Bit).toBe(text.includes('ü'))
    }),
    { numRuns: 1_000 },
  )
})

it('lets no bare CR, no bare LF and no lone dot out, from any bytes', () => {
  const bytes = fc
    .uint8Array({ maxLength: 60 })
    .map((array) => array.map((byte) => [13, 10, 46, byte][byte % 4]!))
  fc.assert(
    fc.property(bytes, sizes, (array, each) => {
      const { wire } = encode(Buffer.from(array), each)
      expect(wire.replaceAll('\r\n', '')).not.toMatch(/[\r\n]/)
      expect(wire.slice(0, -END_OF_BODY.length + 2)).not.toMatch(/(?:^|\r\n)\.(?:\r\n|$)/)
      expect(wire.indexOf(END_OF_BODY)).toBe(wire.length - END_OF_BODY.length)
    }),
    { numRuns: 1_000 },
  )
})

it('encodes a whole message as it encodes its parts', () => {
  fc.assert(
    fc.property(texts, (text) => {
      const { bytes, size, has8Bit } = encodeBody(Buffer.from(text))
      expect(bytes.toString() + END_OF_BODY).toBe(reference(text))
      expect({ size, has8Bit }).toEqual({ size: sizeOf(text), has8Bit: text.includes('ü') })
    }),
    { numRuns: 1_000 },
  )
})

it('does not copy a message that needs no change', () => {
  const message = Buffer.from('Subject: x\r\n\r\nHello\r\n')
  const { bytes, size } = encodeBody(message)
  expect(bytes.buffer).toBe(message.buffer)
  expect(bytes.toString()).toBe('Subject: x\r\n\r\nHello')
  expect(size).toBe(message.length)
})

it.each([
  ['', '\r\n.\r\n'],
  ['\r\n', '\r\n.\r\n'],
  ['\n\n', '\r\n\r\n.\r\n'],
  ['.', '..\r\n.\r\n'],
  ['a', 'a\r\n.\r\n'],
  ['a\r\n', 'a\r\n.\r\n'],
  ['a\r\n\r\n', 'a\r\n\r\n.\r\n'],
  ['a\r', 'a\r\n.\r\n'],
  ['a\r\r\nb', 'a\r\n\r\nb\r\n.\r\n'],
  ['a\n.\r\nb', 'a\r\n..\r\nb\r\n.\r\n'],
  ['a\r\n.\r\n', 'a\r\n..\r\n.\r\n'],
  ['a\r\n.b\r\n', 'a\r\n..b\r\n.\r\n'],
  ['.a\r\n', '..a\r\n.\r\n'],
])('ends the body %j as %j: its last line break is part of the end', (text, wire) => {
  expect(encodeBody(Buffer.from(text)).bytes.toString() + END_OF_BODY).toBe(wire)
})

it('counts dots that it doubles on the wire, not in the size', () => {
  const { bytes, size } = encodeBody(Buffer.from('.a\r\n..b'))
  expect(bytes.toString()).toBe('..a\r\n...b')
  expect(size).toBe('.a\r\n..b\r\n'.length)
})
