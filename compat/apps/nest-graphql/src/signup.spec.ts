import { ApolloDriver, type ApolloDriverConfig } from '@nestjs/apollo'
import type { NestApplicationOptions } from '@nestjs/common'
import { GraphQLModule } from '@nestjs/graphql'
import { MercuriusDriver, type MercuriusDriverConfig } from '@nestjs/mercurius'
import { FastifyAdapter } from '@nestjs/platform-fastify'
import { Test } from '@nestjs/testing'
import { type PostmarkRequest, PostmarkSmtpModule } from '@postmark-smtp/nestjs'
import { startSandbox } from '@postmark-smtp/sandbox'
import { SignupResolver } from './signup.resolver.js'

interface UserRequest extends PostmarkRequest {
  readonly user?: { readonly id: string }
}
const context = ({ headers, user }: UserRequest) => ({
  metadata: { tenant: String(headers['x-tenant']), 'user-id': user?.id },
})
const options: NestApplicationOptions = { logger: ['error'] }

describe.each([
  [
    'Apollo on Express',
    GraphQLModule.forRoot<ApolloDriverConfig>({ driver: ApolloDriver, autoSchemaFile: true }),
    undefined,
  ],
  [
    'Mercurius on Fastify',
    GraphQLModule.forRoot<MercuriusDriverConfig>({ driver: MercuriusDriver, autoSchemaFile: true }),
    new FastifyAdapter(),
  ],
])('%s', (_name, graphql, adapter) => {
  it('sends with the fields of each request, of the resolver, and of the user that a guard set', async () => {
    const sandbox = await startSandbox()
    const module = await Test.createTestingModule({
      imports: [PostmarkSmtpModule.forRoot({ url: sandbox.url, context }), graphql],
      providers: [SignupResolver],
    }).compile()
    const app = adapter
      ? module.createNestApplication(adapter, options)
      : module.createNestApplication(options)
    await app.listen(0, '127.0.0.1')

    const url = `${await app.getUrl()}/graphql`
    const signup = async (tenant: string) => {
      const query = `mutation { signup(email: "${tenant}@example.com") }`
      const headers = { 'content-type': 'application/json', 'x-tenant': tenant }
      const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify({ query }) })
      expect(await response.json()).toEqual({ data: { signup: true } })
    }
    const tenants = Array.from({ length: 50 }, (_, index) => `tenant-${index}`)
    await Promise.all(tenants.map(signup))
    for (const tenant of tenants) {
      const mail = await sandbox.waitFor({ to: `${tenant}@example.com` })
      expect(mail.postmark).toEqual({ tag: 'signup', metadata: { tenant, 'user-id': 'u1' } })
    }
    await app.close()
    await sandbox.close()
  })
})
