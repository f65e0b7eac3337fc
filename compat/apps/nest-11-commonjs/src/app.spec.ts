import type { INestApplication } from '@nestjs/common'
import { Test } from '@nestjs/testing'
import { type Sandbox, startSandbox } from '@postmark-smtp/sandbox'
import '@postmark-smtp/sandbox/jest'
import { createAppModule } from './app.module'

describe('the application', () => {
  let sandbox: Sandbox
  let app: INestApplication

  beforeAll(async () => {
    sandbox = await startSandbox()
    const module = await Test.createTestingModule({ imports: [createAppModule(sandbox.url)] }).compile()
    app = module.createNestApplication()
    await app.listen(0, '127.0.0.1')
  })
  afterAll(async () => {
    await app.close()
    await sandbox.close()
  })

  it('sends with the fields of the request and the route', async () => {
    const response = await fetch(`${await app.getUrl()}/signup`, {
      method: 'POST',
      headers: { 'x-tenant': 'acme' },
    })
    expect(response.status).toBe(201)
    await expect(sandbox).toHaveSent({
      to: 'ann@example.com',
      postmark: { messageStream: null, tag: 'signup', metadata: { tenant: 'acme' } },
    })
  })
})
