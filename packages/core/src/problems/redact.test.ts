import { expect, it } from 'vitest'
import { createRedactor } from './redact.js'

const SECRET = '6f1c2b1e-8a34-4d3a-9a60-2f7f6c1f0a11'

function redactor() {
  const made = createRedactor()
  made.add(SECRET)
  return made
}

it.each([
  ['in clear', SECRET],
  ['in base64', btoa(SECRET)],
  ['in the line of AUTH PLAIN', btoa(`\0${SECRET}\0${SECRET}`)],
  ['in the answer of CRAM-MD5', btoa(`${SECRET} 0123456789abcdef0123456789abcdef`)],
  ['in the answer of DIGEST-MD5', btoa(`username="${SECRET}",nonce="x"`)],
])('takes a secret %s out of a text', (_form, form) => {
  const clean = redactor().text(`535 5.7.8 ${form} refused`)
  expect(clean).toBe(`535 5.7.8 ${clean.split(' ')[2]} refused`)
  expect(clean).not.toContain(form)
})

it('leaves all else as it is', () => {
  const text = '250 2.0.0 Ok: queued as 4FA1C09B2E, Zm9vYmFyYmF6Zm9vYmFy'
  expect(redactor().text(text)).toBe(text)
})

it.each([
  ['in capitals', SECRET.toUpperCase()],
  ['without its dashes', SECRET.replaceAll('-', '')],
  ['in base64 of capitals', btoa(SECRET.toUpperCase())],
])('takes a secret %s out of a text', (_form, form) => {
  expect(redactor().text(`535 5.7.8 ${form} refused`)).toBe('535 5.7.8 [redacted] refused')
})
