import { redisMissing } from '@postmark-smtp/testing'
import { expect, it } from 'vitest'
import { main } from './main.js'

const missing = redisMissing()
const skipped = missing !== undefined && process.env.REQUIRE_REAL_PARTS !== '1'
if (skipped) console.warn(`Skipped: ${missing}`)

it.skipIf(skipped)('sends each receipt once, with the tenant of its request', async () => {
  const lines: string[] = []
  await main((line) => lines.push(line))
  expect(lines.slice(0, 5)).toEqual([
    'POST /orders/1 for acme: 202',
    'POST /orders/2 for umbrella: 202',
    'POST /orders/2 for umbrella: 202',
    'POST /orders/3 for acme: 202',
    '3 emails are waiting in the queue. Starting a worker.',
  ])
  expect(lines.slice(5).sort()).toEqual([
    'Received: Receipt 1, tag receipt, tenant acme',
    'Received: Receipt 2, tag receipt, tenant umbrella',
    'Received: Receipt 3, tag receipt, tenant acme',
  ])
})
