import assert from 'node:assert/strict'
import { afterEach, beforeEach, test } from 'node:test'
import { attachPostmark, createPostmarkTransport, runWithPostmark } from '@postmark-smtp/core'
import { startSandbox } from '@postmark-smtp/sandbox'
import strapiProvider from '@strapi/provider-email-nodemailer'
import { createTransport } from 'nodemailer'
import { createEmail, welcome as welcomeOfPayload } from './out/payload.js'
import createPlugins from './strapi-plugins.mjs'
import { welcome as welcomeOfStrapi } from './strapi-send.mjs'

let sandbox
beforeEach(async () => {
  sandbox = await startSandbox()
})
afterEach(() => sandbox.close())

const inScope = (work) => runWithPostmark({ metadata: { tenant: 'acme' } }, work)
const sent = { tag: 'welcome', messageStream: 'signups', metadata: { tenant: 'acme', id: '7' } }

test('the adapter of Payload', async () => {
  const email = (await createEmail(sandbox.url))({ payload: undefined })
  const info = await inScope(() => welcomeOfPayload(email, 'ann@example.com'))
  const [mail] = sandbox.outbox
  assert.deepEqual(mail.postmark, sent)
  assert.equal(mail.headers.find(({ key }) => key === 'From').value, 'Shop <shop@example.com>')
  assert.equal(info.postmark.attempts, 1)
})

/** Strapi's plugin calls the provider so; a message may have what the provider knows. */
function startStrapi() {
  const { providerOptions, settings } = createPlugins({ env: () => sandbox.url }).email.config
  return strapiProvider.init(providerOptions, settings)
}

test('the provider of Strapi', async () => {
  const email = startStrapi()
  assert.equal(await email.verify(), true)
  await inScope(() => welcomeOfStrapi(email, 'ann@example.com'))
  const [mail] = sandbox.outbox
  assert.deepEqual(mail.postmark, sent)
  assert.equal(mail.from, 'shop@example.com')
  await email.close()
})

test('the provider of Strapi drops `postmark` of a message, and keeps its headers', async () => {
  const email = startStrapi()
  const headers = { 'X-PM-Tag': 'welcome' }
  const message = {
    to: 'ann@example.com',
    subject: 'Hi',
    text: 'Hi',
    postmark: { metadata: { id: 7 } },
    headers,
  }
  await email.send(message)
  assert.deepEqual(sandbox.outbox[0].postmark, { tag: 'welcome' })
  await email.close()
})

test('copies of providerOptions: JSON and attachPostmark fail, and never reach for localhost', async () => {
  const ours = createPostmarkTransport(sandbox.url)
  const json = strapiProvider.init(JSON.parse(JSON.stringify(ours)), { defaultFrom: 'shop@example.com' })
  await assert.rejects(json.send({ to: 'ann@example.com', subject: 'Hi', text: 'Hi' }), /went through JSON/)
  const attached = attachPostmark(createTransport({ host: '127.0.0.1', port: 1 }))
  assert.throws(() => strapiProvider.init(attached, {}), { code: 'ERR_POSTMARK_TRANSPORT' })
  await ours.close()
})
