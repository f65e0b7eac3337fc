import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { MISSPELLED_HEADERS, POSTMARK_FIELDS, RESERVED_HEADERS } from './vocabulary/vocabulary.js'

const root = new URL('../../../', import.meta.url)
const read = (path: string) => readFileSync(new URL(path, root), 'utf8')
const { homepage } = JSON.parse(read('package.json')) as { homepage: string }

const rows = Object.entries(POSTMARK_FIELDS).map(([field, row]) => {
  const header = row.kind === 'map' ? `${row.header}<key>` : row.header
  const example = JSON.stringify(row.example).replaceAll('"', "'")
  return `| \`${field}: ${example}\` | \`${header}\` | ${row.summary} |`
})

/** Spells a header like the vocabulary, with a capital letter for each word, as the wrong ones are usually written. */
const spell = (header: string) =>
  header.replace(/\b[a-z]/g, (letter) => letter.toUpperCase()).replace(/^X-Pm/, 'X-PM')
const wrong = [...MISSPELLED_HEADERS].map(([spelling, right]) => `| \`${spell(spelling)}\` | \`${right}\` |`)

const body = `Send email through Postmark's SMTP servers from Node with Nodemailer. Tags, metadata, streams and tracking are typed fields. This project is independent of Postmark and its owner.

## Write this

\`\`\`sh
npm install @postmark-smtp/core nodemailer
npm install --save-dev @postmark-smtp/sandbox
\`\`\`

\`\`\`ts
import { createPostmarkTransport, runWithPostmark } from '@postmark-smtp/core'

// POSTMARK_URL=postmark+smtp://SERVER-API-TOKEN@default
const transporter = createPostmarkTransport(process.env.POSTMARK_URL!)
const message = { from: 'shop@example.com', to: 'ann@example.com', subject: 'Hi', text: 'Hello' }

// Fields of one email.
await transporter.sendMail({ ...message, postmark: { tag: 'welcome', metadata: { 'order-id': '1234' } } })

// Fields of every email sent within a function, such as a request handler.
await runWithPostmark({ metadata: { tenant: 'acme' } }, () => transporter.sendMail(message))
await transporter.close()
// X-PM-Tag: welcome
// X-PM-Metadata-order-id: 1234
// X-PM-Metadata-tenant: acme
\`\`\`

## Rules

- Write fields in \`postmark: { … }\`. Never write \`X-PM-\` headers by hand: Postmark ignores a misspelled header without an error.
- Do not rely on a \`250\`: Postmark reports most mistakes later, as a bounce. Leave \`preflight\` at its default, with which \`sendMail\` rejects before the email leaves.
- Put personal data in \`metadata\`, which Postmark removes before delivery. Never put it in \`tag\`, which the recipient receives.
- After an error, send again only if \`deliveryOutcome(error)\` is \`'not-sent'\` or \`'deferred'\`. After \`'unknown'\`, Postmark may have accepted the email. An \`idempotencyKey\` with \`sendOnce\` makes it safe to send again.
- Send newsletters and other bulk email to a broadcast stream: \`messageStream: 'broadcast'\`.
- In tests, use \`startSandbox()\` from \`@postmark-smtp/sandbox\` instead of mocking Nodemailer.

## Fields and headers

| Field | Header | Meaning |
| --- | --- | --- |
${rows.join('\n')}

## Headers that do not exist

You can find these headers in published samples, but Postmark ignores them:

| Wrong | Right |
| --- | --- |
${wrong.join('\n')}

Never set these headers, which Postmark writes itself: ${RESERVED_HEADERS.map((header) => `\`${header}\``).join(', ')}.

## Pages
`

const PAGES: readonly (readonly [page: string, title: string, about: string])[] = [
  [
    'getting-started',
    'Getting started',
    'from an empty folder to a sent email, for a script, Express and Nest',
  ],
  ['transport', 'The transport', 'every option of `createPostmarkTransport`, outcomes and retries'],
  ['context', 'Context', 'what keeps the fields of a request, and what loses them'],
  ['errors', 'Errors', 'each code, its cause and how to fix it'],
  ['send-once', 'Sending an email once', 'idempotency keys'],
  ['queues', 'Mail in a queue', 'BullMQ, workers and an outbox'],
  ['bulk', 'Sending to many', '`sendBatch`'],
  ['webhooks', 'Webhooks', 'bounces, deliveries, opens and clicks as typed events'],
  ['sandbox', 'The sandbox', 'a local Postmark for tests'],
  ['compatibility', 'Compatibility', 'the versions that the tests run with'],
]
const links = (toTarget: (page: string) => string) =>
  PAGES.map(([page, title, about]) => `- [${title}](${toTarget(page)}): ${about}`).join('\n')

/** After a change of the vocabulary: `npx vitest run packages/core/src/coding-agents.test.ts -u`. */
describe('what coding agents read', () => {
  it('docs/coding-agents.md has each field of the vocabulary, and each wrong header with the right one', async () => {
    const page = `# For coding agents\n\n${body}\n${links((each) => `${each}.md`)}\n`
    await expect(page).toMatchFileSnapshot(new URL('docs/coding-agents.md', root).pathname)
    expect(page).toContain('| `X-PM-Track-Opens` | `X-PM-TrackOpens` |')
  })

  it('llms.txt says the same, in the form that agents look for', async () => {
    const [summary = '', ...rest] = body.split('\n\n')
    const file = `# postmark-smtp\n\n> ${summary}\n\n${rest.join('\n\n')}\n${links((each) => homepage + each)}\n`
    await expect(file).toMatchFileSnapshot(new URL('llms.txt', root).pathname)
  })
})
