/**
 * Installs the packed tarballs in fresh applications, each with its own lock file, and runs their own `npm test`.
 * The tests of the packages read the sources beside this repository's tools; only this sees what users have.
 * `npm run build && node compat/run.mjs [regular expression over the folders of compat/apps]`
 */
import { execFile } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const run = promisify(execFile)
const root = fileURLToPath(new URL('..', import.meta.url))
const wanted = new RegExp(process.argv[2] ?? '')
const env = { ...process.env, NO_COLOR: '1' }

const temporary = mkdtempSync(join(tmpdir(), 'postmark-smtp-apps-'))
process.on('exit', () => rmSync(temporary, { recursive: true, force: true }))
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1))

async function pack(name) {
  const options = ['--json', '--pack-destination', temporary]
  const { stdout } = await run('npm', ['pack', ...options], { cwd: join(root, 'packages', name) })
  return join(temporary, JSON.parse(stdout)[0].filename)
}

async function test(app, tarballs) {
  const cwd = join(temporary, app)
  cpSync(join(root, 'compat/apps', app), cwd, { recursive: true })
  const flags = ['--no-save', '--prefer-offline', '--no-audit', '--no-fund']
  await run('npm', ['install', ...flags, ...tarballs], { cwd, env })
  await run('npm', ['test'], { cwd, env, timeout: 120_000 })
}

const tarballs = await Promise.all(['core', 'sandbox', 'nestjs'].map(pack))
const results = []
async function check(app) {
  const started = performance.now()
  const error = await test(app, tarballs).then(
    () => undefined,
    (error) => error,
  )
  console.log(`${error ? 'FAILED' : 'ok'}: ${app} (${Math.round((performance.now() - started) / 1000)} s)`)
  if (error)
    console.log(`${error.stdout ?? ''}${error.stderr ?? error}`.slice(0, 8000).replace(/^/gm, '    '))
  results.push({ title: app, status: error ? 'failed' : 'passed' })
}

await Promise.all(
  readdirSync(join(root, 'compat/apps'))
    .filter((app) => wanted.test(app))
    .map(check),
)

const failed = results.filter(({ status }) => status === 'failed').length
mkdirSync(join(root, '.results'), { recursive: true })
const report = { testResults: [{ status: failed > 0 ? 'failed' : 'passed', assertionResults: results }] }
writeFileSync(join(root, '.results/compat-apps.json'), JSON.stringify(report))
console.log(`${results.length - failed} passed, ${failed} failed`)
process.exitCode = failed > 0 || results.length === 0 ? 1 : 0
