import { readFileSync } from 'node:fs'
import { createTransport } from 'nodemailer'
import { describe, expect, it } from 'vitest'
import * as core from './index.js'

const packages = new URL('../../', import.meta.url)
const read = (path: string) => readFileSync(new URL(path, packages), 'utf8')
const { homepage } = JSON.parse(read('../package.json')) as { homepage: string }

/** The options of {@link core.CompileOptions} in the READMEs. The compiler requires a row for each. */
const COMPILE_ROWS: Readonly<
  Record<keyof core.CompileOptions, readonly [standard: string, meaning: string]>
> = {
  defaults: ['none', 'default fields for every email'],
  preflight: ["`'throw'`", "`'warn'` sends an email that breaks a limit anyway; `'fit'` shortens its fields"],
  onWarning: ['one process warning per kind', 'called for each warning'],
  correlationId: ['`false`', '`true` or `{ key }` adds a random UUID to the metadata'],
  suppressions: ['none', 'a store that is checked before each email, such as `createSuppressionList()`'],
  suppressed: [
    "`'throw'`",
    "with `'skip'`, `sendMail` resolves if all recipients are suppressed; see `info.postmark.suppressed`",
  ],
  requireScope: [
    '`false`',
    "`true` rejects mail sent outside any scope; `{ metadata: 'tenant' }` also rejects mail if its scope has no `tenant`, or one that differs from the message",
  ],
}

/** The options that a function accepts, as its error for an unknown option lists them. */
function knownOptions(take: (options: object) => unknown): string[] {
  try {
    take({ qqqqqqqq: 1 })
  } catch (error) {
    return (error as core.PostmarkError).hint.replace(/^Known options: |\.$/g, '').split(', ')
  }
  throw new Error('An unknown option was accepted.')
}

const compileOptions = knownOptions((options) => core.attachPostmark(createTransport({}), options))
const transportOptions = knownOptions((options) =>
  core.createPostmarkTransport(options as core.PostmarkTransportOptions),
)

function toTable(options: readonly string[]): string {
  const rows = options.map((option) => {
    const [standard, meaning] = COMPILE_ROWS[option as keyof core.CompileOptions]
    return `| \`${option}\` | ${standard} | ${meaning} |`
  })
  return ['| Option | Default | Meaning |', '| --- | --- | --- |', ...rows].join('\n')
}

/** Expects a README to contain the text between its marker comments. */
async function expectOptions(name: string, text: string): Promise<void> {
  const place = /(<!-- options[^>]*-->\n)[\s\S]*(<!-- \/options -->)/
  const readme = read(`${name}/README.md`)
  expect(readme).toMatch(place)
  const made = readme.replace(place, (_all, from: string, to: string) => `${from}${text}\n${to}`)
  await expect(made).toMatchFileSnapshot(new URL(`${name}/README.md`, packages).pathname)
}

/** After you change the options: `npx vitest run packages/core/src/package-readmes.test.ts -u`. */
describe('the READMEs of packages', () => {
  it('know each option of the compile step', () => {
    expect(compileOptions.toSorted()).toEqual(Object.keys(COMPILE_ROWS).toSorted())
  })

  it('core has the options of attachPostmark and of createPostmarkTransport', async () => {
    const others = transportOptions.filter((option) => !compileOptions.includes(option))
    const list = others.map((option) => `\`${option}\``).join(', ')
    const both = 'Options of both `attachPostmark` and `createPostmarkTransport`:'
    const only = `Options of \`createPostmarkTransport\` only: ${list}. [docs/transport.md](${homepage}transport) explains them. An unknown option throws immediately. The error lists every unknown option and what to write instead.`
    await expectOptions('core', `${both}\n\n${toTable(compileOptions)}\n\n${only}`)
    const explained = read('../docs/transport.md')
    for (const option of others) expect(explained).toMatch(new RegExp(`\\b${option}\\b`))
  })

  it('nodemailer has the options of the plugin', async () => {
    // A plugin cannot make sendMail resolve, so `suppressed` has one value there.
    await expectOptions('nodemailer', toTable(compileOptions.filter((option) => option !== 'suppressed')))
  })

  it('core names each function, class and constant that it exports, and no other', () => {
    const rows = read('core/README.md').match(/\| Export \|[^\n]*\n[\s\S]*?\n\n/)?.[0] ?? ''
    const cells = rows.split('\n').map((row) => row.split(' | ')[0] ?? '')
    const named = cells.flatMap((cell) => [...cell.matchAll(/`(\w+)/g)].map(([, name]) => name))
    expect(named.toSorted()).toEqual(Object.keys(core).toSorted())
  })
})
