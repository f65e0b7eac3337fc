import { Test } from '@nestjs/testing'
import { createPostmarkTransport } from '@postmark-smtp/core'
import { getPostmarkToken } from '@postmark-smtp/nestjs'
import { startSandbox } from '@postmark-smtp/sandbox'
import { expect, it } from 'vitest'
import { createAppModule } from './app.module.js'
import { main } from './main.js'
import { SignupMails } from './signup-mails.service.js'

const webhookPassword = 'webhook-6d8f0b2c4e'

it('sends each mail with the fields of its request, route and method, and hears of a refused one', async () => {
  const lines: string[] = []
  await main((line) => lines.push(line))
  const refused = lines.find((line) => line.startsWith('Rejected'))
  expect(lines.at(-1)).toContain(refused?.slice('Rejected '.length, refused.indexOf(':')))
  // Correlation IDs differ from run to run.
  const told = lines.map((line) => line.replaceAll(/[0-9a-f-]{36}/g, 'ID'))
  const welcome =
    'Welcome: {"tag":"signup","metadata":{"tenant":"acme","request-id":"req-acme","correlation-id":"ID"}}'
  expect(told).toEqual([
    'POST /signup (acme): 201',
    'POST /invite (umbrella): 201',
    'POST /newsletter (initech): 201',
    'POST /invite (hooli): 422 {"code":"ERR_POSTMARK_PREFLIGHT","problems":[{"path":"postmark.metadata.note","limit":"at most 80 characters"}]}',
    'POST /signup (acme): 201',
    expect.stringMatching(/^Rejected ID: 406 .*suppressed/),
    expect.stringMatching(/^POST \/signup \(acme\): 422 .*ERR_POSTMARK_SUPPRESSED/),
    welcome,
    'Invitation: {"tag":"invite","metadata":{"tenant":"umbrella","request-id":"req-umbrella","user-id":"u1","note":"Join us","correlation-id":"ID"}}',
    'News: {"messageStream":"broadcast","tag":"newsletter","metadata":{"tenant":"initech","request-id":"req-initech","user-id":"u1","correlation-id":"ID"}}',
    welcome,
  ])
})

it('takes no event without the secret', async () => {
  const rejected: unknown[] = []
  const settings = { url: 'postmark+smtp://6f1c2b1e-8a34-4d3a-9a60-2f7f6c1f0a11@default', webhookPassword }
  const module = createAppModule({ ...settings, onRejected: (event) => rejected.push(event) })
  const app = (await Test.createTestingModule({ imports: [module] }).compile()).createNestApplication()
  await app.listen(0, '127.0.0.1')
  const post = async (password: string) => {
    const body = JSON.stringify({ RecordType: 'Bounce', Type: 'SMTPApiError' })
    const headers = {
      'content-type': 'application/json',
      authorization: `Basic ${btoa(`postmark:${password}`)}`,
    }
    return (await fetch(`${await app.getUrl()}/webhooks/postmark`, { method: 'POST', headers, body })).status
  }
  expect([await post('guessed'), rejected.length]).toEqual([401, 0])
  expect([await post(webhookPassword), rejected.length]).toEqual([200, 1])
  await app.close()
})

// The first way to test: the application as it is, with the URL of a sandbox.
it('sends to a sandbox that its URL names', async () => {
  await using sandbox = await startSandbox()
  const app = await Test.createTestingModule({
    imports: [createAppModule({ url: sandbox.url, webhookPassword })],
  }).compile()
  await app.get(SignupMails).newsletter('ann@example.com')
  const mail = await sandbox.waitFor({ to: 'ann@example.com' })
  expect(mail.postmark).toMatchObject({ messageStream: 'broadcast', tag: 'newsletter' })
  await app.close()
})

// The second way: another transporter in place of the one that the application configures.
it('sends through a transporter that a test puts in', async () => {
  await using sandbox = await startSandbox()
  const app = await Test.createTestingModule({
    imports: [
      createAppModule({
        url: 'postmark+smtp://6f1c2b1e-8a34-4d3a-9a60-2f7f6c1f0a11@default',
        webhookPassword,
      }),
    ],
  })
    .overrideProvider(getPostmarkToken())
    .useValue(createPostmarkTransport(sandbox.url))
    .compile()
  await app.get(SignupMails).welcome('ann@example.com')
  expect((await sandbox.waitFor({ to: 'ann@example.com' })).subject).toBe('Welcome')
  await app.close()
})
