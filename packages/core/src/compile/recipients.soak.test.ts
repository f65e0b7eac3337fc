import { size } from '@postmark-smtp/testing'
import fc from 'fast-check'
import { createTransport } from 'nodemailer'
import { expect, it } from 'vitest'
import { runWithPostmark } from '../context/context.js'
import { listRecipients } from '../message/addresses.js'
import { attachPostmark } from './attach.js'

const RUNS = size(8_000, 8, 20_000)

/** Recipients as callers write them: any field may hold any of these. */
type Recipients = unknown

const domains = fc.constantFrom('example.com', 'b.example', 'bücher.example', '[127.0.0.1]')
const locals = fc.constantFrom('a', 'b', 'first.last', 'a+b', '"a b"', '"a,b"', 'A', 'x'.repeat(70), 'jürgen')
const addresses = fc.tuple(locals, domains).map(([local, domain]) => `${local}@${domain}`)
const names = fc.oneof(
  fc.constantFrom(
    'Jane',
    'Doe, Jane',
    'Zoë',
    '"Jane"',
    'a@b.example',
    '<Jane>',
    'Team:',
    '',
    'Jane; Joe',
    "O'Neil",
    'a\r\nBcc: x@example.com',
  ),
  fc.string({ maxLength: 12 }),
)
const objects = fc.record({ name: names, address: addresses }, { requiredKeys: ['address'] })
const named = objects.map(({ name = '', address }) =>
  name === '' ? address : `"${name.replace(/["\\\r\n]/g, '')}" <${address}>`,
)
const lists = fc.array(fc.oneof(addresses, named), { maxLength: 4 })
const hostile = fc.constantFrom(
  '',
  ' ',
  ',',
  ';',
  'nobody',
  '@',
  'a@',
  '<>',
  'a@example.com\r\nBcc: x@example.com',
  'a@example.com b@example.com',
  'Team:;',
  '"',
  'a(comment)@example.com',
  '\0',
  'a@b@example.com',
)

const one: fc.Arbitrary<Recipients> = fc.oneof(
  { weight: 3, arbitrary: addresses },
  { weight: 2, arbitrary: named },
  { weight: 3, arbitrary: objects },
  lists.map((all) => all.join(', ')),
  lists.map((all) => all.join(';')),
  lists.map((all) => `Team: ${all.join(', ')};`),
  fc.record({ name: names, group: fc.array(objects, { maxLength: 3 }) }),
  hostile,
)
const recipients: fc.Arbitrary<Recipients> = fc.oneof(
  { weight: 3, arbitrary: one },
  { weight: 3, arbitrary: fc.array(one, { maxLength: 5 }) },
  fc.array(fc.oneof(one, fc.array(one, { maxLength: 3 })), { maxLength: 3 }),
  fc.constantFrom(undefined, null, '', []),
)
const inHeaders = fc.oneof(
  addresses,
  named,
  fc.array(addresses, { minLength: 1, maxLength: 4 }).map((all) => all.join(', ')),
)
const addressHeaders = fc.tuple(fc.constantFrom('To', 'cc', 'BCC', 'Reply-To', 'X-Other'), inHeaders)

const messages = fc
  .record(
    {
      from: fc.oneof(addresses, objects),
      replyTo: one,
      to: recipients,
      cc: recipients,
      bcc: recipients,
      envelope: fc.record(
        { from: addresses, to: recipients, cc: recipients, bcc: recipients },
        { requiredKeys: ['from'] },
      ),
      headers: fc.oneof(
        fc.array(addressHeaders, { maxLength: 3 }).map((pairs) => Object.fromEntries(pairs)),
        fc
          .array(addressHeaders, { maxLength: 3 })
          .map((pairs) => pairs.map(([key, value]) => ({ key, value }))),
        addressHeaders.map(([key, value]) => ({ key, value })),
      ),
    },
    { requiredKeys: [] },
  )
  .map((message) => ({
    subject: 's',
    text: 'Hello',
    messageId: '<1@example.com>',
    date: new Date(0),
    ...message,
  }))

const createPlain = () => createTransport({ streamTransport: true, buffer: true, newline: 'windows' })

/** What plain Nodemailer makes of a message, or the error that it gives. */
async function outcome(transporter: ReturnType<typeof createPlain>, message: object) {
  try {
    const { envelope, message: bytes } = await transporter.sendMail(message)
    return { envelope, lines: String(bytes).split('\r\n') }
  } catch (error) {
    return { error: String(error) }
  }
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) Object.values(Object.freeze(value)).forEach(deepFreeze)
  return value
}

const fields = { tag: 'welcome', metadata: { to: 'x@example.com', bcc: 'y@example.com' } }
const ours = ['X-PM-Metadata-bcc: y@example.com', 'X-PM-Metadata-to: x@example.com', 'X-PM-Tag: welcome']

it('sends each email to the recipients that plain Nodemailer sends it to, in the same order, with the same bytes', async () => {
  const plain = createPlain()
  // A mailbox name outside ASCII is refused otherwise: here it shall go out as Nodemailer writes it.
  const attached = attachPostmark(createPlain(), { preflight: 'warn' })
  let sent = 0
  await fc.assert(
    fc.asyncProperty(messages, async (message) => {
      const expected = await outcome(plain, structuredClone(message))
      const frozen = deepFreeze(message)
      const actual = await runWithPostmark(fields, () => outcome(attached, frozen))
      expect(actual.error).toBe(expected.error)
      expect(actual.envelope).toEqual(expected.envelope)
      expect(actual.lines?.filter((line) => !line.startsWith('X-PM-'))).toEqual(expected.lines)
      if (actual.lines) {
        sent++
        expect(actual.lines.filter((line) => line.startsWith('X-PM-')).sort()).toEqual(ours)
      }
    }),
    { numRuns: RUNS },
  )
  expect(sent).toBeGreaterThan(RUNS * 0.9)
})

it('counts as many recipients as Nodemailer sends to', async () => {
  const plain = createPlain()
  await fc.assert(
    fc.asyncProperty(messages, async (message) => {
      const { envelope } = await outcome(plain, structuredClone(message))
      if (!envelope) return
      const { to } = envelope as { to: readonly string[] }
      // A bare name such as `root` is an address in an envelope alone, and never one that Postmark takes.
      expect(listRecipients(message).length).toBe(to.filter((address) => address.includes('@')).length)
    }),
    { numRuns: RUNS },
  )
})
