import 'reflect-metadata'
import { NestFactory } from '@nestjs/core'
import { startSandbox } from '@postmark-smtp/sandbox'
import { createAppModule } from './app.module.js'

const email = 'ann@example.com'

/** Starts a local Postmark and the application, plays some clients, and prints the fields that arrived. */
export async function main(print: (line: string) => void): Promise<void> {
  await using sandbox = await startSandbox()
  const app = await NestFactory.create(createAppModule(sandbox.url), { logger: false })
  await app.listen(0, '127.0.0.1')
  const url = await app.getUrl()
  const post = async (path: string, tenant: string, body: object) => {
    const headers = {
      'content-type': 'application/json',
      authorization: 'Bearer u1',
      'x-tenant': tenant,
      'x-request-id': `req-${tenant}`,
    }
    const response = await fetch(url + path, { method: 'POST', headers, body: JSON.stringify(body) })
    print(`POST ${path} (${tenant}): ${response.status} ${await response.text()}`.trimEnd())
  }

  await post('/signup', 'acme', { email })
  await post('/invite', 'umbrella', { email, note: 'Join us' })
  await post('/newsletter', 'initech', { email })
  await post('/invite', 'hooli', { email, note: 'x'.repeat(81) })
  await app.close()

  for (const { subject, postmark } of sandbox.outbox) print(`${subject}: ${JSON.stringify(postmark)}`)
}

if (process.argv[1] === new URL(import.meta.url).pathname) await main(console.log)
