import { readFileSync } from 'node:fs'
import { expect, expectTypeOf, it } from 'vitest'
import {
  type BouncedEvent,
  type CompileOptions,
  createSuppressionList,
  deliveryOutcome,
  explainSmtpError,
  isDeliveryFailure,
  type PostmarkTransportOptions,
  suppressFrom,
  type WebhookEvent,
  type WebhookHandlerOptions,
} from './index.js'

const read = (path: string) => readFileSync(new URL(path, import.meta.url), 'utf8')
/** The words of an index, its exported names among them. */
const wordsOf = (source: string) => source.match(/\w+/g)

it('exports every type of event that the package of webhooks knows', () => {
  const events = [...new Set(read('../../webhooks/src/index.ts').match(/\b\w+Event\b/g))]
  expect(events).toContain('RejectedEvent')
  expect(wordsOf(read('./index.ts'))).toEqual(expect.arrayContaining(events))
})

it('exports what a service needs for errors and suppressions, so that core need not be installed by name', () => {
  const list = createSuppressionList()
  list.add({ address: 'ann@example.com', stream: 'outbound' })
  expect(list.find(['ann@example.com'], 'outbound')).toEqual(['ann@example.com'])
  const error = Object.assign(new Error('535'), { code: 'EAUTH', responseCode: 535 })
  expect(deliveryOutcome(error)).toBe('not-sent')
  expect(explainSmtpError(error)?.anchor).toBe('login-refused')
  expect(isDeliveryFailure(error)).toBe(false)
  expect(suppressFrom).toBeTypeOf('function')
  expectTypeOf<Extract<WebhookEvent, { kind: 'bounced' }>>().toEqualTypeOf<BouncedEvent>()
  expectTypeOf<WebhookHandlerOptions['auth']>().not.toBeAny()
  expectTypeOf<PostmarkTransportOptions>().toExtend<CompileOptions>()
})
