import 'reflect-metadata'
import type { DynamicModule } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import { runWithPostmark } from '@postmark-smtp/nestjs'
import { startSandbox } from '@postmark-smtp/sandbox'
import { withPlugin } from './plugin.module.js'
import { Receipts } from './receipts.service.js'
import { withTransporter } from './transporter.module.js'

/** Sends the same email both ways, and prints what arrived and whether `info.postmark` is set. */
export async function main(print: (line: string) => void): Promise<void> {
  await using sandbox = await startSandbox()
  const ways: [string, DynamicModule][] = [
    ['plugin', withPlugin(sandbox)],
    ['transporter', withTransporter(sandbox.url)],
  ]
  for (const [way, module] of ways) {
    sandbox.clear()
    const app = await NestFactory.createApplicationContext(module, { logger: false })
    // Takes the place of a request: in an application, the `context` of PostmarkSmtpModule opens this scope.
    const info = await runWithPostmark({ metadata: { tenant: 'acme' } }, () => app.get(Receipts).send('1001'))
    await app.close()
    print(
      `${way}: ${JSON.stringify(sandbox.outbox[0]?.postmark)}, info.postmark ${'postmark' in info ? 'yes' : 'no'}`,
    )
  }
}

if (process.argv[1] === import.meta.filename) await main(console.log)
