import { X509Certificate } from 'node:crypto'
import { expect, it } from 'vitest'
import { makeCertificate } from './certificate.js'

it('is valid for a client whose clock is slow', async () => {
  const { cert } = await makeCertificate(['sandbox'])
  const { validFrom, validTo, subjectAltName } = new X509Certificate(cert)
  const hour = 3_600_000
  expect(Date.parse(validFrom)).toBeLessThan(Date.now() - 23 * hour)
  expect(Date.parse(validTo)).toBeGreaterThan(Date.now() + 300 * 24 * hour)
  expect(subjectAltName).toBe('DNS:localhost, IP Address:127.0.0.1, DNS:sandbox')
})
