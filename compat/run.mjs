/**
 * Installs the packed tarballs in fresh applications, each locked to the versions of compat/locks.json, and runs their own `npm test`.
 * The tests of the packages read the sources beside this repository's tools; only this sees what users have.
 * `npm run build && node compat/run.mjs [regular expression over the folders of compat/apps]`
 */
import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { attempt, inPairs, manifests, pack, report, root, run, temporary } from './harness.mjs'
import { readLock } from './locks.mjs'

const wanted = new RegExp(process.argv[2] ?? '')
// For an application that needs real servers, which no published package starts.
process.env.POSTMARK_SMTP_TESTING = join(root, 'packages/testing/dist/index.js')
/** The folders whose application is the snippet of a package's README, such as express-5. */
const OF_README = /^(express|fastify|hono)-\d+$/
const env = { ...process.env, NO_COLOR: '1' }
const names = Object.keys(manifests)
const tarballs = Object.fromEntries(await Promise.all(names.map(async (name) => [name, await pack(name)])))

/** The packages that an application names in its files, and those that they ask for: others would bring their peers along. */
function neededBy(cwd) {
  const files = readdirSync(cwd, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
  const text = files.map(({ parentPath, name }) => readFileSync(join(parentPath, name), 'utf8')).join('\n')
  const needed = new Set(names.filter((name) => new RegExp(`@postmark-smtp/${name}\\b`).test(text)))
  for (const name of needed) {
    const { dependencies, peerDependencies } = manifests[name]
    const asked = Object.keys({ ...dependencies, ...peerDependencies })
    for (const other of names) if (asked.includes(`@postmark-smtp/${other}`)) needed.add(other)
  }
  return [...needed]
}

/** Writes the code that an application takes from the documents: there each block of docs/frameworks.md names its file. */
function writeSnippets(app, cwd) {
  const [, name] = OF_README.exec(app) ?? []
  if (name !== undefined) {
    const readme = readFileSync(join(root, 'packages', name, 'README.md'), 'utf8')
    writeFileSync(join(cwd, 'snippet.ts'), /^```ts\n([\s\S]*?)^```$/m.exec(readme)[1])
  }
  const frameworks = readFileSync(join(root, 'docs/frameworks.md'), 'utf8')
  for (const [, folder, file, code] of frameworks.matchAll(/^```tsx? ([\w-]+)\/(\S+)\n([\s\S]*?)^```$/gm)) {
    if (folder !== app) continue
    mkdirSync(dirname(join(cwd, file)), { recursive: true })
    writeFileSync(join(cwd, file), code)
  }
}

async function test(app) {
  const cwd = join(temporary, app)
  cpSync(join(root, 'compat/apps', app), cwd, { recursive: true })
  writeFileSync(join(cwd, 'package-lock.json'), JSON.stringify(readLock(app)))
  writeSnippets(app, cwd)
  const flags = ['--no-save', '--prefer-offline', '--no-audit', '--no-fund']
  await run('npm', ['install', ...flags, ...neededBy(cwd).map((name) => tarballs[name])], { cwd, env })
  await run('npm', ['test'], { cwd, env, timeout: 120_000 })
}

const apps = readdirSync(join(root, 'compat/apps')).filter((app) => wanted.test(app))
const results = []
await inPairs(apps, async (app) => {
  results.push(await attempt(app, () => test(app)))
})
report('compat-apps', results)
