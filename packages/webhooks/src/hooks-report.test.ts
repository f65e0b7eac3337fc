import { inspect } from 'node:util'
import { expect, it } from 'vitest'
import { hooksReport } from './index.js'

const TOKEN = '0b6a2f4e-1111-4222-8333-444455556666'
const server = {
  ID: 23,
  ApiTokens: [TOKEN],
  BounceHookUrl: 'https://hook:s3cr3t@example.com/bounces',
  SmtpApiActivated: true,
  DeliveryType: 'Live',
  IncludeBounceContentInHook: true,
  EnableSmtpApiErrorHooks: true,
}
const read = (more: object) => hooksReport({ getServer: async () => ({ ...server, ...more }) })

it('tells what the server is set to, without its tokens and addresses', async () => {
  const report = await read({})
  expect(report).toEqual({
    smtpActivated: true,
    smtpApiErrorHooks: true,
    bounceContent: true,
    deliveryType: 'Live',
    advice: [],
  })
  expect(inspect(report) + JSON.stringify(report)).not.toMatch(new RegExp(`${TOKEN}|s3cr3t`))
})

it.each([
  [{ EnableSmtpApiErrorHooks: false }, /EnableSmtpApiErrorHooks .* reconcile/],
  [{ SmtpApiActivated: false }, /SMTP is off/],
  [{ DeliveryType: 'Sandbox' }, /no email is delivered/],
])('advises where the server has %j', async (more, advice) => {
  expect((await read(more)).advice).toEqual([expect.stringMatching(advice)])
})

it('does not guess what the answer does not tell', async () => {
  expect(await hooksReport({ getServer: async () => ({}) })).toEqual({
    smtpActivated: undefined,
    smtpApiErrorHooks: undefined,
    bounceContent: undefined,
    deliveryType: undefined,
    advice: [],
  })
})

it('says so where the server cannot be read', async () => {
  const cause = Object.assign(new Error('Bad token'), { statusCode: 401 })
  await expect(hooksReport({ getServer: () => Promise.reject(cause) })).rejects.toMatchObject({
    code: 'ERR_POSTMARK_BOUNCES',
    message: 'The server cannot be read: Bad token',
    cause,
  })
})
