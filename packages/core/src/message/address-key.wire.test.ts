import { createTransport } from 'nodemailer'
import { describe, expect, it } from 'vitest'
import { toAddressKey } from './address-key.js'
import { listRecipients } from './addresses.js'

describe('toAddressKey', () => {
  it.each([
    ['ann@example.com', 'ann@example.com'],
    [' Ann@Example.COM ', 'ann@example.com'],
    ['"Ann"@example.com', 'ann@example.com'],
    ['"john doe"@example.com', '"john doe"@example.com'],
    ['john doe@example.com', '"john doe"@example.com'],
    ['"a\\"b"@example.com', '"a\\"b"@example.com'],
    ['"a@b"@example.com', '"a@b"@example.com'],
    ['ann@bücher.example', 'ann@xn--bcher-kva.example'],
    ['ann@BÜCHER.example', 'ann@xn--bcher-kva.example'],
    ['ann@xn--bcher-kva.example', 'ann@xn--bcher-kva.example'],
    ['ann@bücher.example/evil.example', 'ann@bücher.example/evil.example'],
    ['ann@[127.0.0.1]', 'ann@[127.0.0.1]'],
    ['example.com', 'example.com'],
    ['', ''],
  ])('writes %j as %j', (address, key) => {
    expect(toAddressKey(address)).toBe(key)
    expect(toAddressKey(key)).toBe(key)
  })
})

describe('a recipient and the envelope that Nodemailer makes of it', () => {
  it.each([
    '"john doe"@example.com',
    { name: 'John', address: '"john doe"@example.com' },
    'John <"john doe"@example.com>',
    'ann@bücher.example',
    'Ann <ann@BÜCHER.example>',
    'ann@xn--bcher-kva.example',
    { name: '', address: 'Ann@Bücher.example' },
    'ann@example.com',
  ])('have one key: %j', async (to) => {
    const transporter = createTransport({ streamTransport: true })
    const { envelope } = await transporter.sendMail({ from: 'a@example.com', to, text: 'Hi' })
    expect(listRecipients({ to }).map(toAddressKey)).toEqual(envelope.to.map(toAddressKey))
  })

  it('are counted once where only the form of the domain differs', () => {
    expect(
      listRecipients({ to: 'ann@bücher.example, ann@xn--bcher-kva.example', cc: 'ann@BÜCHER.example' }),
    ).toEqual(['ann@bücher.example'])
  })
})
