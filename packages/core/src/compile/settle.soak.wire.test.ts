import { size, startSmtpServer } from '@postmark-smtp/testing'
import fc from 'fast-check'
import { createTransport, type Transporter } from 'nodemailer'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { createPostmarkTransport } from '../index.js'
import { attachPostmark } from './attach.js'

/** Messages made of JSON, as a service that takes them from a request would hand them on. */

const TOKEN = '6f1c2b1e-8a34-4d3a-9a60-2f7f6c1f0a11'

const json = fc.jsonValue({ maxDepth: 2 })
/** The words that make Nodemailer look into an object, with JSON in their place. */
const KEYS = [
  'content',
  'path',
  'raw',
  'encoding',
  'contentType',
  'cid',
  'filename',
  'headers',
  'prepared',
  'value',
]
const ADDRESS_KEYS = [
  'name',
  'address',
  'group',
  'from',
  'to',
  'url',
  'comment',
  'key',
  'value',
  'method',
  'then',
  'pipe',
]
const holder = fc.dictionary(fc.constantFrom(...KEYS, ...ADDRESS_KEYS), json, { maxKeys: 4 })
const anything = fc.oneof(
  json,
  holder,
  fc.array(fc.oneof(json, holder), { maxLength: 3 }),
  fc.constantFrom('a@example.com', '<p>'),
)
const FIELDS = (
  'from sender to cc bcc replyTo inReplyTo references subject messageId date text html watchHtml amp icalEvent raw ' +
  'headers attachments alternatives list envelope priority xMailer encoding textEncoding baseBoundary boundaryPrefix ' +
  'newline dsn auth attachDataUrls disableFileAccess disableUrlAccess normalizeHeaderKey maxRecipients postmark signal dkim'
).split(' ')
const messages = fc
  .tuple(fc.boolean(), fc.dictionary(fc.constantFrom(...FIELDS), anything, { maxKeys: 6 }))
  .map(([whole, fields]) => ({
    ...(whole && { from: 'a@example.com', to: 'b@example.com', subject: 'Hello', text: 'Hello' }),
    ...fields,
  }))

let server: Awaited<ReturnType<typeof startSmtpServer>>
let transporters: Transporter[] = []
const uncaught: unknown[] = []
const onUncaught = (error: unknown) => uncaught.push(error)

beforeAll(async () => {
  process.on('uncaughtException', onUncaught).on('unhandledRejection', onUncaught)
  server = await startSmtpServer({ auth: [{ user: TOKEN, pass: TOKEN }] })
  const { host, port, ca } = server
  const options = {
    host,
    port,
    requireTLS: true,
    tls: { ca },
    auth: { user: TOKEN, pass: TOKEN },
    pool: true,
  }
  const quiet = { onWarning: () => {} }
  const late = { ...quiet, suppressions: { find: () => [] }, preflight: 'warn' } as const
  const own = { serverToken: TOKEN, host, ports: [port], tls: { ca } }
  transporters = [
    attachPostmark(createTransport({ streamTransport: true, buffer: true }) as unknown as Transporter, late),
    attachPostmark(createTransport(options) as unknown as Transporter, quiet),
    createPostmarkTransport({ ...own, ...late }) as unknown as Transporter,
    createPostmarkTransport({ ...own, ...quiet }) as unknown as Transporter,
  ]
})
afterAll(async () => {
  for (const transporter of transporters) await transporter.close()
  await server.close()
  process.off('uncaughtException', onUncaught).off('unhandledRejection', onUncaught)
})

it('sendMail settles whatever JSON it is given, and nothing is thrown where nobody can catch it', async () => {
  await fc.assert(
    fc.asyncProperty(messages, fc.nat(transporters.length - 1), async (message, index) => {
      await transporters[index]!.sendMail(message).catch(() => {})
      await new Promise((resolve) => setImmediate(resolve))
      expect(uncaught.splice(0)).toEqual([])
    }),
    { numRuns: size(2000) },
  )
})
