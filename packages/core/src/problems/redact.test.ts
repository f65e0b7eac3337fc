import { expect, it } from 'vitest'
import { createRedactor, redactingLogger } from './redact.js'

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

it('cleans an error with its stack, its fields and its cause', () => {
  const error = Object.assign(new Error(`refused ${SECRET}`, { cause: new Error(SECRET) }), {
    response: btoa(SECRET),
    rejectedErrors: [Object.assign(new Error(SECRET), { response: SECRET })],
  })
  const clean = redactor().error(error)
  expect(clean).toBe(error)
  const { cause, rejectedErrors } = clean as unknown as { cause: Error; rejectedErrors: Error[] }
  for (const text of [
    clean.message,
    clean.stack,
    clean.response,
    cause.message,
    cause.stack,
    JSON.stringify(rejectedErrors),
  ]) {
    expect(text).not.toMatch(new RegExp(`${SECRET}|${btoa(SECRET)}`))
  }
})

it('cleans what a logger is given', () => {
  const entries: unknown[][] = []
  const logger = redactingLogger(
    { info: (...entry: unknown[]) => entries.push(entry) },
    redactor(),
  ) as Record<string, (...args: unknown[]) => void>
  logger.info!({ user: SECRET, err: new Error(SECRET) }, 'User %s', SECRET)
  logger.debug!('not taken')
  expect(entries).toHaveLength(1)
  expect(entries[0]).toEqual([{ user: '[redacted]', err: expect.any(Error) }, 'User %s', '[redacted]'])
  expect(String((entries[0]![0] as { err: Error }).err.message)).toBe('[redacted]')
})
