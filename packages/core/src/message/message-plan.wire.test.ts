import { Readable } from 'node:stream'
import { size } from '@postmark-smtp/testing'
import fc from 'fast-check'
import MailComposer from 'nodemailer/lib/mail-composer/index.js'
import { describe, expect, it } from 'vitest'
import { encodeBody } from '../smtp/body-encoder.js'
import type { MimeRoot } from './message-plan.js'
import { planMessage } from './message-plan.js'

const fixed = {
  date: new Date(0),
  messageId: '<fixed@example.com>',
  baseBoundary: 'fixed',
  from: 'Anna <a@example.com>',
  to: 'b@example.com',
}

type Tree = MimeRoot & { build(): Promise<Buffer>; transform(stream: object): void }
const compile = (message: object): Tree =>
  new MailComposer({ ...fixed, ...message }).compile() as unknown as Tree

/** What goes over the wire: line breaks and dots of both are made in the same way. */
const onTheWire = (message: Buffer) => encodeBody(message).bytes.toString('latin1')

const long = 'Grüße an alle, die hier lesen. '.repeat(40)
const SHAPES: Readonly<Record<string, object>> = {
  'one line': { subject: 'Hello', text: 'Hello' },
  'an empty text': { text: '' },
  'no content': { subject: 'Nothing' },
  'a text without a last line break, with dots': { text: '.first\n..second\n.' },
  'bare line feeds and carriage returns': { text: 'a\nb\rc\r\nd\r' },
  'long lines': { text: 'x'.repeat(2_000) },
  'text outside ASCII': { subject: 'Grüße', text: long },
  'text in base64': { text: '漢字'.repeat(500), textEncoding: 'base64' },
  'text and html': { text: long, html: `<p>${long}</p>` },
  'text, html and inline image': {
    text: 'Hello',
    html: '<img src="cid:one">',
    attachments: [{ cid: 'one', filename: 'a.png', content: Buffer.from([0, 1, 2, 255]) }],
  },
  attachments: {
    text: 'Hello',
    attachments: [
      { filename: 'a.txt', content: 'one\ntwo' },
      { filename: 'b.bin.txt', content: Buffer.alloc(70_000, 7) },
      { filename: 'grüße.txt', content: long, encoding: 'utf8' },
      { filename: 'c.eml', contentType: 'message/rfc822', content: 'Subject: x\r\n\r\nHello' },
      { filename: 'd.txt', content: 'aGVsbG8=', encoding: 'base64' },
      { filename: 'e.txt', content: 'a\rb ', contentTransferEncoding: 'quoted-printable' },
      { filename: 'f.txt', content: 'plain', contentTransferEncoding: '7bit' },
    ],
  },
  'alternatives and an event': {
    text: 'Hello',
    html: '<p>Hello</p>',
    amp: '<html amp4email></html>',
    watchHtml: '<p>watch</p>',
    alternatives: [{ contentType: 'text/x-web-markdown', content: '**Hello**' }],
    icalEvent: { method: 'REQUEST', content: 'BEGIN:VCALENDAR\r\nEND:VCALENDAR' },
  },
  'an attachment only': { attachments: [{ filename: 'a.pdf', content: Buffer.from('%PDF') }] },
  'headers of all shapes': {
    headers: { 'X-One': 'a', 'X-Two': ['b', 'c'], 'X-Three': { prepared: true, value: 'd' } },
    list: { unsubscribe: 'https://example.com' },
    text: 'Hello',
  },
}

describe('a message that is built without streams', () => {
  it.each(Object.entries(SHAPES))('has the same bytes as Nodemailer\u2019s own: %s', async (_name, shape) => {
    const plan = planMessage(compile(shape))
    expect(onTheWire(plan!.toBuffer())).toBe(onTheWire(await compile(shape).build()))
  })

  it('has the same bytes for any content, name and encoding', async () => {
    const content = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 300 }),
      fc.uint8Array({ maxLength: 300 }).map(Buffer.from),
    )
    const text = fc.string({ unit: 'grapheme', maxLength: 200 })
    const attachment = fc.record(
      {
        content,
        filename: text,
        cid: fc.string({ minLength: 1, maxLength: 10 }),
        contentType: fc.constantFrom(
          'text/plain',
          'text/html; charset=iso-8859-1',
          'image/png',
          'application/json',
        ),
        contentTransferEncoding: fc.constantFrom('base64', 'quoted-printable', '7bit', '8bit'),
      },
      { requiredKeys: ['content'] },
    )
    const message = fc.record(
      {
        subject: text,
        text,
        html: text,
        attachments: fc.array(attachment, { maxLength: 3 }),
        textEncoding: fc.constantFrom('quoted-printable', 'base64'),
      },
      { requiredKeys: [] },
    )
    await fc.assert(
      fc.asyncProperty(message, async (shape) => {
        const plan = planMessage(compile(shape))
        if (!plan) throw new Error('there is no plan')
        expect(onTheWire(plan.toBuffer())).toBe(onTheWire(await compile(shape).build()))
      }),
      { numRuns: size(2_000) },
    )
  })

  it('is built anew each time, and read as a transport of Nodemailer reads a message', async () => {
    const shape = SHAPES['text and html']!
    const plan = planMessage(compile(shape))!
    const built = onTheWire(plan.toBuffer())
    expect(onTheWire(plan.toBuffer())).toBe(built)
    expect(onTheWire(Buffer.concat(await plan.createReadStream().toArray()))).toBe(built)
    expect(plan.getEnvelope()).toEqual({ from: 'a@example.com', to: ['b@example.com'] })
    expect(plan.messageId()).toBe('<fixed@example.com>')
  })

  it.each([
    ['a stream', { text: Readable.from(['a']) }],
    ['a path', { attachments: [{ path: 'package.json' }] }],
    ['a URL', { html: { href: 'http://localhost/' } }],
    ['raw', { raw: 'Subject: x\r\n\r\nHello' }],
    ['a newline option', { text: 'a', newline: 'unix' }],
  ])('is left to Nodemailer where there is %s', (_what, shape) => {
    expect(planMessage(compile(shape))).toBeUndefined()
  })

  it('is left to Nodemailer where a plugin transforms it', () => {
    const tree = compile({ text: 'a' })
    tree.transform({})
    expect(planMessage(tree)).toBeUndefined()
  })
})
