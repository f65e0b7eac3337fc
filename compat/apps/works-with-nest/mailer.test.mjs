import 'reflect-metadata'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { NestFactory } from '@nestjs/core'
import { MailerModule, MailerService } from '@nestjs-modules/mailer'
import { attachPostmark, runWithPostmark } from '@postmark-smtp/core'
import { startSandbox } from '@postmark-smtp/sandbox'
import { createTransport } from 'nodemailer'
import * as factory from './factory.mjs'
import * as plugin from './plugin.mjs'
import * as transport from './transport.mjs'

const dir = fileURLToPath(new URL('templates', import.meta.url))

/** Sends one email through a module, in a scope, and gives what arrived. */
async function send(t, makeModule, message) {
  const sandbox = await startSandbox()
  t.after(() => sandbox.close())
  const app = await NestFactory.createApplicationContext(makeModule(sandbox), {
    logger: false,
    abortOnError: false,
  })
  const fields = { metadata: { tenant: 'acme' } }
  const info = await runWithPostmark(fields, () =>
    app.get(MailerService).sendMail({
      to: 'ann@example.com',
      subject: 'Welcome',
      postmark: { tag: 'welcome', messageStream: 'signups', metadata: { id: 7 } },
      ...message,
    }),
  )
  await app.close()
  return { info, mail: sandbox.outbox[0] }
}

const sent = { tag: 'welcome', messageStream: 'signups', metadata: { tenant: 'acme', id: '7' } }

test('our transporter as `transport`, with a template and its defaults', async (t) => {
  const { info, mail } = await send(t, ({ url }) => transport.mail(url, dir), {
    template: 'welcome',
    context: { name: 'Ann' },
  })
  assert.deepEqual(mail.postmark, { ...sent, trackOpens: true })
  assert.match((await mail.parse()).html, /<p>Welcome Ann<\/p>/)
  assert.deepEqual(info.postmark.warnings, [])
  assert.equal(mail.from, 'shop@example.com')
  assert.equal(info.postmark.attempts, 1)
})

test('our plugin in `plugins`', async (t) => {
  const { mail } = await send(t, plugin.mail, { from: 'shop@example.com', text: 'Welcome' })
  assert.deepEqual(mail.postmark, { ...sent, trackOpens: true })
})

test('our transporter from MAILER_TRANSPORT_FACTORY', async (t) => {
  const { info, mail } = await send(t, ({ url }) => factory.mail(url), { text: 'Welcome' })
  assert.deepEqual(mail.postmark, sent)
  assert.equal(info.postmark.attempts, 1)
})

test('a transporter of attachPostmark is refused when the application starts', async (t) => {
  const attached = () => attachPostmark(createTransport({ host: 'localhost' }))
  const started = send(t, () => MailerModule.forRoot({ transport: attached() }), { text: 'Hi' })
  await assert.rejects(started, { code: 'ERR_POSTMARK_TRANSPORT' })
})
