import { Readable } from 'node:stream'
import { expect, it } from 'vitest'
import { checkContents } from './check-contents.js'

it.each<readonly [string, object]>([
  ['text', { text: 'a', html: '', raw: null }],
  ['bytes', { text: Buffer.from('a'), html: new Uint8Array(1) }],
  ['a stream', { text: Readable.from(['a']), attachments: [{ content: Readable.from(['a']) }] }],
  ['an object with content', { text: { content: 'a' }, icalEvent: { content: Buffer.from('a') } }],
  [
    'a path or a URL',
    { html: { path: 'a.html' }, attachments: [{ path: 'a' }, { href: 'https://example.com' }] },
  ],
  ['a path within content', { attachments: { content: { path: 'a' } } }],
  ['an attachment without content', { attachments: [{ filename: 'empty.txt' }] }],
  ['raw parts', { raw: { path: 'a.eml' }, attachments: [{ raw: 'A: b\r\n\r\nc' }] }],
])('takes %s', (_what, message) => {
  expect(checkContents(message as Record<string, unknown>)).toEqual([])
})

it.each<readonly [object, string]>([
  [{ text: 5 }, 'text'],
  [{ html: ['a'] }, 'html'],
  [{ amp: {} }, 'amp'],
  [{ raw: new Date(0) }, 'raw'],
  [{ watchHtml: { content: { a: 1 } } }, 'watchHtml.content'],
  [{ attachments: [{}, null] }, 'attachments[1]'],
  [{ attachments: 'a.txt' }, 'attachments[0]'],
  [{ attachments: [{ content: true }] }, 'attachments[0].content'],
  [{ attachments: [{ path: new URL('file:///a') }] }, 'attachments[0].path'],
  [{ alternatives: [{ content: 'a' }, { raw: { content: 'a' } }] }, 'alternatives[1].raw'],
])('refuses %j at %s', (message, path) => {
  expect(checkContents(message as Record<string, unknown>)).toMatchObject([{ path, severity: 'error' }])
})
