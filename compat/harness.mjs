/** What the checks of the packed tarballs share: a temporary folder, npm pack, and the report that .ci/run counts. */
import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

export const run = promisify(execFile)
export const root = fileURLToPath(new URL('..', import.meta.url))

/** Goes with the process, also at Ctrl-C. */
export const temporary = mkdtempSync(join(tmpdir(), 'postmark-smtp-compat-'))
process.on('exit', () => rmSync(temporary, { recursive: true, force: true }))
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1))

/** The package.json of each package that is published, by its folder. */
export const manifests = Object.fromEntries(
  readdirSync(join(root, 'packages'))
    .map((name) => [name, JSON.parse(readFileSync(join(root, 'packages', name, 'package.json'), 'utf8'))])
    .filter(([, manifest]) => !manifest.private),
)

/** Packs one of our packages, which must be built, and returns the path of the tarball. */
export async function pack(name) {
  const options = ['--json', '--pack-destination', temporary]
  const { stdout } = await run('npm', ['pack', ...options], { cwd: join(root, 'packages', name) })
  return join(temporary, JSON.parse(stdout)[0].filename)
}

/** Two at a time: an npm install, or a compiler, takes about one core. */
export async function inPairs(items, work) {
  const queue = items.values()
  const worker = async () => {
    for (const item of queue) await work(item)
  }
  await Promise.all([worker(), worker()])
}

/** Runs one test and prints its outcome; the result is for {@link report}. */
export async function attempt(title, work) {
  const started = performance.now()
  const failure = await work().then(
    () => '',
    (error) => `\n${error.stdout ?? ''}${error.stderr || error}`.slice(0, 8000).replaceAll('\n', '\n    '),
  )
  const seconds = Math.round((performance.now() - started) / 1000)
  console.log(`${failure ? 'FAILED' : 'ok'}: ${title} (${seconds} s)${failure}`)
  return { title, status: failure ? 'failed' : 'passed' }
}

/** Writes .results/<name>.json in the form of vitest's reports, and ends with the count. */
export function report(name, results) {
  const failed = results.filter(({ status }) => status === 'failed').length
  const file = { status: failed > 0 ? 'failed' : 'passed', assertionResults: results }
  mkdirSync(join(root, '.results'), { recursive: true })
  writeFileSync(join(root, `.results/${name}.json`), JSON.stringify({ testResults: [file] }))
  console.log(`${results.length - failed} passed, ${failed} failed`)
  process.exitCode = failed > 0 || results.length === 0 ? 1 : 0
}
