import { readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { Readable } from 'node:stream'
import { expect, it } from 'vitest'
import { CHECKS } from './checks/all-checks.js'
import { runCli } from './cli/run-cli.js'
import { PROBE_STEPS } from './probe/plan.js'
import { countMails } from './probe/run-probe.js'
import { ACCOUNT_TOKEN, SERVER, SERVER_TOKEN, startSetUp } from './testing/set-up.js'

const root = new URL('../../../', import.meta.url)

/** Puts a text between two marks of a document. */
function insert(path: string, mark: string, text: string): { readonly made: string; readonly file: string } {
  const url = new URL(path, root)
  const before = readFileSync(url, 'utf8')
  const made = before.replace(
    new RegExp(`(<!-- ${mark}[^>]*-->\\n)[\\s\\S]*(<!-- /${mark} -->)`),
    (_all, open: string, close: string) => `${open}${text}\n${close}`,
  )
  return { made, file: url.pathname }
}

/** After a change of the checks: `npx vitest run packages/doctor/src/docs.test.ts -u`. */
it('docs/doctor.md has every check with what it can find', async () => {
  const sections = CHECKS.map(({ id, title, needs, after, kinds }) => {
    const premises = after.map((each) => `\`${each}\``).join(' or ')
    const facts = [
      ...(needs === undefined ? [] : [`Needs ${needs}.`]),
      ...(premises === '' ? [] : [`Skipped if ${premises} found a fault or was skipped.`]),
    ]
    const rows = Object.entries(kinds).map(([kind, { level, what, cause, cure, link, untested }]) => {
      const note = untested === undefined ? '' : ` *Not tested:* ${untested}`
      return `| ${level === 'fault' ? '✖' : '!'} \`${kind}\` | ${what}${note} | ${cause} | ${cure} [Read more](${link}) |`
    })
    const table = ['| Finding | What is wrong | Usual cause | Cure |', '| --- | --- | --- | --- |', ...rows]
    return `### ${title} (\`${id}\`)\n\n${facts.length > 0 ? `${facts.join(' ')}\n\n` : ''}${table.join('\n')}\n`
  })
  const { made, file } = insert('docs/doctor.md', 'checks', `\n${sections.join('\n')}`)
  await expect(made).toMatchFileSnapshot(file)
})

it('docs/doctor.md has every step of the probe', async () => {
  const rows = PROBE_STEPS.map(
    ({ question, sends, looksAt, mails }) => `| ${question} | ${sends} | ${looksAt} | ${mails} |`,
  )
  const table = ['| Question | Sends | Looks at | Emails |', '| --- | --- | --- | --- |', ...rows]
  const { made, file } = insert(
    'docs/doctor.md',
    'probe',
    `\n${table.join('\n')}\n\nAt most ${countMails(PROBE_STEPS)} emails in total.\n`,
  )
  await expect(made).toMatchFileSnapshot(file)
})

it('README.md shows what the command prints', async () => {
  const setUp = await startSetUp({
    smtp: { auth: '535 5.7.8 Error: authentication failed: ' },
    routes: { '/server': { ...SERVER, SmtpApiActivated: false } },
  })
  const printed: string[] = []
  try {
    const { url, accountToken, ...options } = setUp.options
    const code = await runCli([], {
      stdout: { write: (text) => printed.push(text) },
      stderr: { write: (text) => printed.push(text) },
      env: { POSTMARK_URL: url, POSTMARK_ACCOUNT_TOKEN: accountToken },
      stdin: Readable.from([]),
      folder: tmpdir(),
      version: '0.0.0',
      options,
    })
    expect(code).toBe(1)
  } finally {
    await setUp.close()
  }
  // What differs from run to run.
  const steady = printed
    .join('')
    .replaceAll(/\d+ ms/g, '41 ms')
    .replaceAll(/(postmarkapp\.com:|port )\d+/g, '$1587')
    .replaceAll(/-?\d+ days left/g, '212 days left')
    .replaceAll(/by (smtp\.postmarkapp\.com|an odd name)/g, 'by Example CA')
    .replaceAll(/Node v[\d.]+/g, 'Node v22.12.0')
    .replaceAll('127.0.0.1:', 'hooks.example.com:')
    .replaceAll(/hooks\.example\.com:\d+/g, 'hooks.example.com')
    .replaceAll('the system uses 127.0.0.1', 'the system uses 50.31.205.201')
  for (const secret of [SERVER_TOKEN, ACCOUNT_TOKEN]) expect(steady).not.toContain(secret)
  const { made, file } = insert('packages/doctor/README.md', 'output', `\`\`\`text\n${steady.trim()}\n\`\`\``)
  await expect(made).toMatchFileSnapshot(file)
})
