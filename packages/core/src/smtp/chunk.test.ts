import fc from 'fast-check'
import { expect, it } from 'vitest'
import { encodeBody } from './body-encoder.js'
import { endOfHead, toChunk } from './chunk.js'

const lines = fc.array(fc.constantFrom('.', '..', 'x', '.x', 'Gr\u00fc\u00dfe', '', ' .'), { maxLength: 8 })

it('is the message as it is, whatever dots and line ends it has', () => {
  fc.assert(
    fc.property(lines, fc.constantFrom('\r\n', '\n', '\r'), fc.boolean(), (words, end, isClosed) => {
      const message = words.join(end) + (isClosed ? end : '')
      const body = encodeBody(Buffer.from(message))
      const wanted = message.replace(/\r\n|\r|\n/g, '\r\n').replace(/(\r\n)?$/, '\r\n')
      const chunk = toChunk(body)
      expect(String(chunk)).toBe(wanted)
      expect(chunk.length).toBe(body.size)
    }),
  )
})

it('knows where its header block ends, where something follows', () => {
  expect(endOfHead(Buffer.from('A: b\r\n\r\nHello\r\n'))).toBe(8)
  expect(endOfHead(Buffer.from('A: b\r\n\r\n'))).toBeUndefined()
  expect(endOfHead(Buffer.from('A: b\r\n'))).toBeUndefined()
})
