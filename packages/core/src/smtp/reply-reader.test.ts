import fc from 'fast-check'
import { expect, it } from 'vitest'
import { type Reply, ReplyError, ReplyReader } from './reply-reader.js'

const plain = (text: string) => text

/** Reads what came in these chunks, to the first fault. */
function read(chunks: readonly (string | Buffer)[], redact = plain): (Reply | string)[] {
  const reader = new ReplyReader(redact)
  const found: (Reply | string)[] = []
  try {
    for (const chunk of chunks) {
      reader.push(typeof chunk === 'string' ? Buffer.from(chunk) : chunk)
      for (let reply = reader.next(); reply; reply = reader.next()) found.push(reply)
    }
  } catch (error) {
    expect(error).toBeInstanceOf(ReplyError)
    found.push((error as Error).message)
  }
  return found
}

const EHLO = '250-mx.example.com\r\n250-SIZE 10240000\r\n250 8BITMIME\r\n'

it('reads a reply of several lines as one, wherever its bytes are split', () => {
  const whole = read([EHLO])
  expect(whole).toEqual([
    {
      code: 250,
      lines: ['mx.example.com', 'SIZE 10240000', '8BITMIME'],
      response: '250-mx.example.com\n250-SIZE 10240000\n250 8BITMIME',
    },
  ])
  for (let at = 1; at < EHLO.length; at++) expect(read([EHLO.slice(0, at), EHLO.slice(at)])).toEqual(whole)
  expect(read([...EHLO])).toEqual(whole)
})

it('reads the same replies from any split of the same bytes', () => {
  const lines = fc.array(fc.constantFrom('250 ok', '354 go on', '451 4.3.0 später ☃', '550', '421 bye'), {
    maxLength: 8,
  })
  fc.assert(
    fc.property(lines, fc.array(fc.nat({ max: 12 }), { minLength: 1, maxLength: 9 }), (given, sizes) => {
      const bytes = Buffer.from(given.map((line) => `${line}\r\n`).join(''))
      const chunks: Buffer[] = []
      for (let at = 0, turn = 0; at < bytes.length; turn++) {
        const size = sizes[turn % sizes.length]! + 1
        chunks.push(bytes.subarray(at, at + size))
        at += size
      }
      expect(read(chunks).map((reply) => (reply as Reply).response)).toEqual(given)
    }),
    { numRuns: 200 },
  )
})

it('keeps several replies of one chunk apart, and says whether something is left', () => {
  const reader = new ReplyReader(plain)
  reader.push(Buffer.from('250 one\r\n354 two\r\n25'))
  expect(reader.next()?.code).toBe(250)
  expect(reader.next()?.code).toBe(354)
  expect(reader.next()).toBeUndefined()
  expect(reader.hasRest).toBe(true)
  reader.push(Buffer.from('0 three\r\n'))
  expect(reader.next()?.lines).toEqual(['three'])
  expect(reader.hasRest).toBe(false)
})

it('has a rest while the last line of a reply is missing', () => {
  const reader = new ReplyReader(plain)
  reader.push(Buffer.from('250-one\r\n'))
  expect(reader.next()).toBeUndefined()
  expect(reader.hasRest).toBe(true)
})

it('takes a bare line feed as the end of a line, and a code with nothing after it', () => {
  expect(read(['250 ok\n250\r\n'])).toMatchObject([{ lines: ['ok'] }, { code: 250, lines: [''] }])
})

it('takes secrets out of the response', () => {
  const redact = (text: string) => text.replaceAll('secret', '[redacted]')
  expect(read(['535 5.7.8 secret is wrong\r\n'], redact)).toMatchObject([
    { response: '535 5.7.8 [redacted] is wrong' },
  ])
})

it('takes secrets out of a line that is no reply', () => {
  const redact = (text: string) => text.replaceAll('secret', '[redacted]')
  expect(read(['the secret\r\n'], redact)).toEqual(['the line "the [redacted]"'])
})

it.each([
  ['text', 'hello\r\n', 'the line "hello"'],
  ['two digits', '25 ok\r\n', 'the line "25 ok"'],
  ['four digits', '2500 ok\r\n', 'the line "2500 ok"'],
  ['a code of the first class', '150 wait\r\n', 'the line "150 wait"'],
  ['a code of no class', '650 what\r\n', 'the line "650 what"'],
  ['a code and another character', '250+ok\r\n', 'the line "250+ok"'],
  ['an empty line', '\r\n', 'the line ""'],
  ['bytes of another protocol', Buffer.from([0x16, 3, 1, 2, 10]), expect.stringContaining('the line ')],
])('refuses %s', (_what, chunk, message) => {
  expect(read([chunk, '250 never read\r\n'])).toEqual([message])
})

it('refuses a line with another code than the lines before it', () => {
  expect(read(['250-one\r\n550 two\r\n'])).toEqual(['a line with 550 in a reply with 250'])
})

it('quotes no more than 100 characters of a line that is no reply', () => {
  const [message] = read([`${'x'.repeat(500)}\r\n`])
  expect(message).toBe(`the line "${'x'.repeat(100)}…"`)
})

it('refuses a line without end once 4,096 bytes of it have come', () => {
  const half = 'x'.repeat(2_046)
  expect(read([`250 ${half}`, half, '\r\n'])).toMatchObject([{ code: 250 }])
  expect(read([`250 ${half}`, half, 'x'])).toEqual(['a line of more than 4,096 bytes'])
})

it('refuses a reply of more than 256 lines or 65,536 bytes', () => {
  const line = '250-x\r\n'
  expect(read([line.repeat(255), '250 x\r\n'])).toMatchObject([{ code: 250 }])
  expect(read([line.repeat(256), '250 x\r\n'])).toEqual(['a reply without end'])
  const long = `250-${'x'.repeat(4_000)}\r\n`
  expect(read(Array.from({ length: 16 }, () => long))).toEqual([])
  expect(read(Array.from({ length: 17 }, () => long))).toEqual(['a reply without end'])
})

it('bounds each reply by itself', () => {
  const long = `250-${'x'.repeat(4_000)}\r\n`.repeat(15)
  expect(read(Array.from({ length: 5 }, () => `${long}250 x\r\n`))).toHaveLength(5)
})
