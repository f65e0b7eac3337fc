import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { checkMessage } from './message/check-message.js'
import { ERROR_CODES, problemsError } from './problems/error.js'
import { SMTP_FAILURES } from './problems/explain-smtp-error.js'
import { POSTMARK_FIELDS } from './vocabulary/vocabulary.js'

const root = new URL('../../../', import.meta.url)
const read = (path: string) => readFileSync(new URL(path, root), 'utf8')

/** After you change the vocabulary or the error table: `npx vitest run packages/core/src/docs.test.ts -u`. */
describe('documents that are generated from tables', () => {
  it('docs/fields.md has the header table of the vocabulary', async () => {
    const rows = Object.entries(POSTMARK_FIELDS).map(([field, row]) => {
      const example = JSON.stringify(row.example).replaceAll('"', "'")
      const header = row.kind === 'map' ? `${row.header}<key>` : row.header
      return `| \`${field}\` | \`${header}\` | ${limits(row)} | ${row.summary} | \`${example}\` |`
    })
    const table = [
      '| Field | Header | Value | Meaning | Example |',
      '| --- | --- | --- | --- | --- |',
      ...rows,
    ].join('\n')
    const made = read('docs/fields.md').replace(
      /(<!-- header table[^>]*-->\n)[\s\S]*(<!-- \/header table -->)/,
      `$1${table}\n$2`,
    )
    await expect(made).toMatchFileSnapshot(new URL('docs/fields.md', root).pathname)
  })

  it('docs/fields.md shows an error as it is printed', async () => {
    const message = {
      from: 'shop@example.com',
      to: 'ann@example.com',
      text: 'Welcome!',
      postmark: { metadata: { note: 'x'.repeat(110) }, tag: ['welcome', 'sale'] },
      attachments: [{ filename: 'setup.exe', content: '' }],
    }
    const error = problemsError('ERR_POSTMARK_PREFLIGHT', checkMessage(message))
    const made = read('docs/fields.md').replace(
      /(<!-- error example[^>]*-->\n)[\s\S]*(<!-- \/error example -->)/,
      `$1\`\`\`text\n${error}\n\`\`\`\n$2`,
    )
    await expect(made).toMatchFileSnapshot(new URL('docs/fields.md', root).pathname)
  })

  it('docs/errors.md has each error code', async () => {
    const codes = Object.entries(ERROR_CODES).map(
      ([code, { meaning, cure }]) => `## ${code}\n\n${meaning}\n\n${cure}\n`,
    )
    const failures = Object.entries(SMTP_FAILURES).map(
      ([anchor, { reason, cure }]) => `### ${anchor}\n\n${reason}\n\n${cure}\n`,
    )
    const intro =
      'An error raised by this project itself is a `PostmarkError` with `code`, `problems`, `hint` and `cause`. `isPostmarkError(error)` recognises it, even if it comes from another installed copy of the package.'
    const smtp =
      'A connection error has the `code` and `responseCode` that Nodemailer would give it, and adds `outcome`, `attempts`, `phase` and `hint`. `isDeliveryFailure(error)` recognises such an error and types these properties.\n\n`explainSmtpError(error)` returns one of the explanations below. For any error, `deliveryOutcome(error)` returns what became of the email: `not-sent`, `rejected`, `deferred`, or `unknown` if the server may have accepted it.'
    const made = `# Errors\n\n${intro}\n\n${codes.join('\n')}\n## SMTP failures\n\n${smtp}\n\n${failures.join('\n')}`
    await expect(made).toMatchFileSnapshot(new URL('docs/errors.md', root).pathname)
  })
})

function limits(row: (typeof POSTMARK_FIELDS)[keyof typeof POSTMARK_FIELDS]): string {
  switch (row.kind) {
    case 'map':
      return `at most ${row.maxEntries} keys of up to ${row.maxKeyLength} characters, values of up to ${row.maxLength}`
    case 'choice':
      return row.values.map((value) => `\`${value}\``).join(', ')
    case 'boolean':
    case 'flag':
      return '`true`, `false`'
    case 'name':
      return 'the name of a bounce type'
    case 'stream':
      return `a letter, then \`a-z 0-9 - _\`, at most ${row.maxLength} characters`
    case 'text':
      return `at most ${row.maxLength} characters`
  }
}
