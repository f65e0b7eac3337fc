import { expect, it } from 'vitest'
import { pathOf, quote } from './quote.js'

const UUID = '6f1c2b1e-8a34-4d3a-9a60-2f7f6c1f0a11'

it.each([
  ['welcome', '"welcome"'],
  ['', '""'],
  ['a\nb', '"a\\nb"'],
  ['Transactional-Emails-2024', '"Transactional-Emails-2024"'],
  ['noreply.notifications@example.com', '"noreply.notifications@example.com"'],
  ['x'.repeat(40), `"${'x'.repeat(40)}"`],
  ['x'.repeat(41), 'a string of 41 characters'],
])('shows the text %j as %s', (text, shown) => {
  expect(quote(text)).toBe(shown)
})

it.each([
  ['a server token', UUID],
  ['a server token in capitals', UUID.toUpperCase()],
  ['a server token without dashes', UUID.replaceAll('-', '')],
  ['a server token with what was copied along', `t=${UUID}\n`],
  ['the access key of an SMTP token', 'PM-T-outbound-abc'],
  ['the secret key of an SMTP token', 'q8ZrT1vKx0LmNc5YwE2b'],
  ['a URL with a login', 'postmark+smtp://TOKEN@default'],
])('never shows %s', (_title, text) => {
  expect(quote(text)).toBe(`a string of ${text.length} characters`)
  expect(pathOf('options', text)).toBe(`options[a key of ${text.length} characters]`)
})

it('names a key by its path', () => {
  expect(pathOf('streams', 'news')).toBe('streams.news')
  expect(pathOf('', 'news')).toBe('news')
})
