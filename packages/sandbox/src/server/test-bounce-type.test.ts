import { expect, it } from 'vitest'
import { testBounceType } from './test-bounce-type.js'

const AT = '@bounce-testing.postmarkapp.com'

it.each<[string, string | undefined, string | undefined]>([
  [`hardbounce${AT}`, undefined, 'HardBounce'],
  [`Hard_Bounce${AT}`, undefined, 'HardBounce'],
  [`soft_bounce${AT}`, undefined, 'SoftBounce'],
  [`SMTP_API_Error${AT.toUpperCase()}`, undefined, 'SMTPApiError'],
  [`dns_error${AT}`, undefined, 'DnsError'],
  [`ann${AT}`, 'soft_bounce', 'SoftBounce'],
  [`ann${AT}`, 'SoftBounce', 'SoftBounce'],
  [`blocked${AT}`, 'SoftBounce', 'SoftBounce'],
  [`ann${AT}`, undefined, 'HardBounce'],
  [`SpamComplaint${AT}`, undefined, 'HardBounce'],
  [`blocked${AT}`, 'SpamComplaint', 'Blocked'],
  ['soft_bounce@example.com', 'SoftBounce', undefined],
])('fakes for %s with the header %s the bounce %s', (recipient, header, type) => {
  expect(testBounceType(recipient, header)).toBe(type)
})
