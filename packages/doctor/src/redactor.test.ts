import fc from 'fast-check'
import { expect, it } from 'vitest'
import { createSecretsRedactor } from './redactor.js'
import { leaksIn } from './testing/collect.js'

const UUID = 'c3a1f0e2-7b64-4c59-8d2e-1f0a9b8c7d6e'
const secrets = fc.oneof(fc.uuid(), fc.string({ minLength: 8, maxLength: 40, unit: 'grapheme-ascii' }))

it('leaves nothing of a secret, as it is, in another case, percent-encoded, and in base64 at every offset', () => {
  fc.assert(
    fc.property(
      secrets,
      fc.string({ maxLength: 5 }),
      fc.string({ maxLength: 5 }),
      (secret, before, after) => {
        fc.pre(secret.trim().length >= 8)
        const redactor = createSecretsRedactor()
        redactor.add(secret)
        const bytes = Buffer.from(before + secret + after)
        for (const form of [
          secret,
          secret.toUpperCase(),
          encodeURIComponent(secret),
          bytes.toString('base64'),
          bytes.toString('base64url'),
          `glued${bytes.toString('base64')}`,
          JSON.stringify({ text: bytes.toString('base64') }),
        ])
          expect(leaksIn(redactor.text(`535 ${form} no`), [secret])).toEqual([])
      },
    ),
  )
})

it('knows each of many secrets, and the search for leaks finds what it does not know', () => {
  const redactor = createSecretsRedactor()
  redactor.add(UUID)
  for (let count = 0; count < 500; count++) redactor.add(`another-secret-${count}`)
  expect(redactor.text(`a ${UUID} b`)).toBe('a [redacted] b')
  for (const form of [UUID, encodeURIComponent(UUID), btoa(`\0${UUID}`), btoa(`xx${UUID}`)])
    expect(leaksIn(form, [UUID])).toEqual([UUID])
})

it('leaves texts without a secret as they are', () => {
  const redactor = createSecretsRedactor()
  redactor.add(UUID)
  redactor.add('')
  expect(redactor.text('220 smtp.postmarkapp.com ESMTP')).toBe('220 smtp.postmarkapp.com ESMTP')
})
