import { Readable } from 'node:stream'
import { startSmtpServer } from '@postmark-smtp/testing'
import { createTransport } from 'nodemailer'
import { describe, expect, expectTypeOf, it } from 'vitest'
import {
  createPostmarkTransport,
  type DeliveryFailure,
  deliveryOutcome,
  isDeliveryFailure,
} from '../index.js'

const TOKEN = '6f1c2b1e-8a34-4d3a-9a60-2f7f6c1f0a11'
const message = { from: 'a@example.com', to: 'b@example.com', subject: 'Hello', text: 'Hello' }

/** The error of one email to a server that answers in this way. */
async function fail(answers: { rcpt?: number; data?: number; login?: 'refused' }, mail: object = message) {
  const refusal = (responseCode: number | undefined) =>
    responseCode === undefined ? undefined : Object.assign(new Error('no'), { responseCode })
  await using server = await startSmtpServer({
    auth: answers.login === 'refused' ? [] : [{ user: TOKEN, pass: TOKEN }],
    onRcpt: () => refusal(answers.rcpt),
    onData: () => refusal(answers.data),
  })
  const { host, port, ca } = server
  const retry = { baseMs: 1, attempts: 2 }
  const transporter = createPostmarkTransport({ serverToken: TOKEN, host, ports: [port], tls: { ca }, retry })
  try {
    return await transporter.sendMail(mail).then(
      () => undefined,
      (reason: unknown) => reason,
    )
  } finally {
    await transporter.close({ deadlineMs: 1 })
  }
}

describe('isDeliveryFailure', () => {
  it.each<[string, Parameters<typeof fail>[0], Partial<DeliveryFailure>]>([
    ['a refused login', { login: 'refused' }, { outcome: 'not-sent', phase: 'login' }],
    ['a refused recipient', { rcpt: 550 }, { outcome: 'rejected', attempts: 1, phase: 'envelope' }],
    ['a rejected body', { data: 554 }, { outcome: 'rejected', attempts: 1, phase: 'final' }],
    ['a deferred body', { data: 451 }, { outcome: 'deferred', attempts: 2, phase: 'final' }],
  ])('is true of %s, and the error says how it ended', async (_what, answers, expected) => {
    const error: unknown = await fail(answers)
    expect(isDeliveryFailure(error)).toBe(true)
    expect(error).toMatchObject(expected)
    if (isDeliveryFailure(error)) expectTypeOf(error).toEqualTypeOf<Error & DeliveryFailure>()
  })

  it('is true of an email that could not be tried again, and says why', async () => {
    const error = await fail({ data: 451 }, { ...message, text: Readable.from(['Hello']) })
    expect(isDeliveryFailure(error) && error.notRetried).toMatch(/is a stream, which can be read only once/)
  })

  it('is false of a refusal by preflight', async () => {
    const error = await fail({}, { ...message, postmark: { tag: ['a'] } })
    expect(deliveryOutcome(error)).toBe('not-sent')
    expect(isDeliveryFailure(error)).toBe(false)
  })

  it('is false of an error of another transporter, and of what is no error', async () => {
    await using server = await startSmtpServer({ auth: [] })
    const { host, port, ca } = server
    const auth = { user: TOKEN, pass: TOKEN }
    const transporter = createTransport({ host, port, requireTLS: true, tls: { ca }, auth })
    const error = await transporter.sendMail(message).catch((reason: unknown) => reason)
    expect(isDeliveryFailure(error)).toBe(false)
    expect(isDeliveryFailure(undefined)).toBe(false)
    expect(isDeliveryFailure({ outcome: 'rejected', attempts: 1, phase: 'final' })).toBe(false)
  })
})
