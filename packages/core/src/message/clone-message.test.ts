import { Readable } from 'node:stream'
import { expect, it } from 'vitest'
import { cloneMessage } from './clone-message.js'

it('copies what Nodemailer writes into', () => {
  const message = {
    from: { name: 'A', address: 'a@example.com' },
    to: [{ name: 'B', address: 'b@example.com' }, 'c@example.com'],
    text: { path: '/a' },
    html: { content: 'a' },
    attachments: [{ content: 'a' }],
    alternatives: [{ content: 'a', contentType: 'text/x' }],
    icalEvent: { content: 'a' },
    raw: { content: 'a' },
    envelope: { to: { name: '', address: 'a@example.com' } },
  }
  const copy = cloneMessage(message)
  expect(copy).toEqual(message)
  for (const field of [
    'text',
    'html',
    'icalEvent',
    'raw',
    'envelope',
    'attachments',
    'alternatives',
    'from',
    'to',
  ] as const) {
    expect(copy[field], field).not.toBe(message[field])
  }
  expect((copy.attachments as object[])[0]).not.toBe(message.attachments[0])
  expect((copy.alternatives as object[])[0]).not.toBe(message.alternatives[0])
  expect((copy.to as object[])[0]).not.toBe(message.to[0])
  expect((copy.envelope as typeof message.envelope).to).not.toBe(message.envelope.to)
})

it('copies one attachment that stands in no array', () => {
  const attachments = { content: 'a' }
  expect(cloneMessage({ attachments }).attachments).toEqual(attachments)
  expect(cloneMessage({ attachments }).attachments).not.toBe(attachments)
})

it('keeps what has a class: streams, buffers, dates', () => {
  const message = {
    text: Readable.from('a'),
    html: Buffer.from('a'),
    raw: new Uint8Array(1),
    date: new Date(0),
    icalEvent: 'text',
  }
  const copy = cloneMessage(message)
  for (const key of Object.keys(message) as (keyof typeof message)[]) expect(copy[key]).toBe(message[key])
})
