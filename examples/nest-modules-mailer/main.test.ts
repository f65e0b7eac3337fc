import { Test } from '@nestjs/testing'
import { isPostmarkError } from '@postmark-smtp/nestjs'
import { startSandbox } from '@postmark-smtp/sandbox'
import { expect, it } from 'vitest'
import { main } from './main.js'
import { withPlugin } from './plugin.module.js'
import { Receipts } from './receipts.service.js'
import { withTransporter } from './transporter.module.js'

it('sends with headers from scope, method, message and defaults in both ways', async () => {
  const lines: string[] = []
  await main((line) => lines.push(line))
  expect(lines).toEqual([
    'plugin: {"tag":"receipt","trackOpens":true,"metadata":{"tenant":"acme","order":"1001"}}, info.postmark no',
    'transporter: {"tag":"receipt","metadata":{"tenant":"acme","order":"1001"}}, info.postmark yes',
  ])
})

it('checks the email before it leaves in both ways', async () => {
  await using sandbox = await startSandbox()
  for (const module of [withPlugin(sandbox), withTransporter(sandbox.url)]) {
    const app = await Test.createTestingModule({ imports: [module] }).compile()
    const error = await app
      .get(Receipts, { strict: false })
      .send('x'.repeat(81))
      .catch((reason: unknown) => reason)
    expect(isPostmarkError(error) && error.code).toBe('ERR_POSTMARK_PREFLIGHT')
    await app.close()
  }
  expect(sandbox.outbox).toEqual([])
})
