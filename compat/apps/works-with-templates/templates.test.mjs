import assert from 'node:assert/strict'
import { afterEach, beforeEach, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { createPostmarkTransport, runWithPostmark } from '@postmark-smtp/core'
import { startSandbox } from '@postmark-smtp/sandbox'
import * as emailTemplates from './email-templates.mjs'
import * as expressHandlebars from './express-handlebars.mjs'
import * as htmlToText from './html-to-text.mjs'
import * as mjml from './mjml.mjs'
import * as reactEmail from './react-email.mjs'

let sandbox
let transporter
beforeEach(async () => {
  sandbox = await startSandbox()
})
afterEach(async () => {
  await transporter.close()
  await sandbox.close()
})

const here = (name) => fileURLToPath(new URL(name, import.meta.url))
const inScope = (work) => runWithPostmark({ metadata: { tenant: 'acme' } }, work)
const fields = { tag: 'welcome', messageStream: 'signups' }
const plain = () => createPostmarkTransport(sandbox.url, { from: 'shop@example.com' })

/** The one email that arrived, whose fields are the same however it was made. */
async function arrived() {
  const [mail] = sandbox.outbox
  assert.equal(sandbox.outbox.length, 1)
  assert.deepEqual(mail.postmark, { ...fields, metadata: { tenant: 'acme' } })
  const { html, text } = await mail.parse()
  assert.match(html, /Welcome (<!-- -->)?Ann/)
  return { mail, html, text }
}

test('email-templates with our transporter', async () => {
  const email = emailTemplates.createEmail(sandbox.url, here('emails'))
  transporter = email.config.transport
  await inScope(() => emailTemplates.welcome(email, 'ann@example.com', 'Ann'))
  const { mail, text } = await arrived()
  assert.equal(mail.subject, 'Welcome Ann')
  assert.equal(text.trim(), 'Welcome Ann')
})

test('React Email renders into html and text', async () => {
  transporter = plain()
  await inScope(() => reactEmail.welcome(transporter, 'ann@example.com', 'Ann'))
  assert.equal((await arrived()).text.trim(), 'Welcome Ann')
})

test('MJML renders into html', async () => {
  transporter = plain()
  await inScope(() => mjml.sendWelcome(transporter, 'ann@example.com', 'Ann'))
  await arrived()
})

const message = { to: 'ann@example.com', subject: 'Welcome', postmark: fields }

test('nodemailer-html-to-text on our transporter', async () => {
  transporter = htmlToText.createTransporter(sandbox.url)
  const info = await inScope(() => transporter.sendMail({ ...message, html: '<p>Welcome Ann</p>' }))
  assert.equal((await arrived()).text.trim(), 'Welcome Ann')
  assert.deepEqual(info.postmark.warnings, [])
})

test('nodemailer-express-handlebars on our transporter', async () => {
  transporter = expressHandlebars.createTransporter(sandbox.url, here('views'))
  const template = { template: 'welcome', context: { name: 'Ann' } }
  const info = await inScope(() => transporter.sendMail({ ...message, ...template }))
  await arrived()
  assert.deepEqual(info.postmark.warnings, [])
})
