import { Test } from '@nestjs/testing'
import { createPostmarkTransport } from '@postmark-smtp/core'
import { getPostmarkToken } from '@postmark-smtp/nestjs'
import { startSandbox } from '@postmark-smtp/sandbox'
import { expect, it } from 'vitest'
import { createAppModule } from './app.module.js'
import { main } from './main.js'
import { SignupMails } from './signup-mails.service.js'

it('sends each mail with the fields of its request, route and method', async () => {
  const lines: string[] = []
  await main((line) => lines.push(line))
  expect(lines).toEqual([
    'POST /signup (acme): 201',
    'POST /invite (umbrella): 201',
    'POST /newsletter (initech): 201',
    'POST /invite (hooli): 422 {"code":"ERR_POSTMARK_PREFLIGHT","problems":[{"path":"postmark.metadata.note","limit":"at most 80 characters"}]}',
    'Welcome: {"tag":"signup","metadata":{"tenant":"acme","request-id":"req-acme"}}',
    'Invitation: {"tag":"invite","metadata":{"tenant":"umbrella","request-id":"req-umbrella","user-id":"u1","note":"Join us"}}',
    'News: {"messageStream":"broadcast","tag":"newsletter","metadata":{"tenant":"initech","request-id":"req-initech","user-id":"u1"}}',
  ])
})

// The first way to test: the application as it is, with the URL of a sandbox.
it('sends to a sandbox that its URL names', async () => {
  await using sandbox = await startSandbox()
  const app = await Test.createTestingModule({ imports: [createAppModule(sandbox.url)] }).compile()
  await app.get(SignupMails).newsletter('ann@example.com')
  const mail = await sandbox.waitFor({ to: 'ann@example.com' })
  expect(mail.postmark).toEqual({ messageStream: 'broadcast', tag: 'newsletter' })
  await app.close()
})

// The second way: another transporter in place of the one that the application configures.
it('sends through a transporter that a test puts in', async () => {
  await using sandbox = await startSandbox()
  const app = await Test.createTestingModule({
    imports: [createAppModule('postmark+smtp://SERVER-API-TOKEN@default')],
  })
    .overrideProvider(getPostmarkToken())
    .useValue(createPostmarkTransport(sandbox.url))
    .compile()
  await app.get(SignupMails).welcome('ann@example.com')
  expect((await sandbox.waitFor({ to: 'ann@example.com' })).subject).toBe('Welcome')
  await app.close()
})
