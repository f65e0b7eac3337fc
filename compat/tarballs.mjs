/**
 * Checks what npm would publish: that a tarball holds what each source file compiles to, and nothing else; that its
 * package.json says what a registry and a reader need; that the links of its README lead to pages of the site; and its
 * size, against compat/tarballs.json.
 * Usage: npm run build && npm run docs:build && node compat/tarballs.mjs [--update]
 */
import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { attempt, manifests, report, root, run } from './harness.mjs'

/** Where `npm run docs:build` puts the site. */
const SITE = 'docs/.vitepress/dist'
const table = join(root, 'compat/tarballs.json')
const update = process.argv.includes('--update')
const kept = update ? {} : JSON.parse(readFileSync(table, 'utf8'))
/** A size may differ by a tenth before somebody has to look. */
const TOLERANCE = 0.1

/** The files that a package must hold: those that npm demands, and what each source compiles to. */
function expectedFiles(name) {
  const sources = readdirSync(join(root, 'packages', name, 'src'), { recursive: true, encoding: 'utf8' })
  const compiled = sources
    .filter((file) => /\.c?ts$/.test(file) && !/\.(test|d)\.ts$/.test(file) && !file.startsWith('testing/'))
    .map((file) => `dist/${file}`)
    .flatMap((file) => [file.replace(/ts$/, 'js'), file.replace(/\.(c?ts)$/, '.d.$1')])
  return ['LICENSE', 'README.md', 'package.json', ...compiled]
}

/** Modules that do something when they are imported: commands, and the matchers of test runners. All others may be left out by a bundler. */
const SIDE_EFFECTS = {
  sandbox: ['./dist/cli.js', './dist/jest.js', './dist/vitest.js'],
  doctor: ['./dist/cli.js'],
}
const { homepage, repository } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))

/** What a wrong package.json would cost its readers later. */
function checkManifest(name) {
  const manifest = manifests[name]
  const { license, engines, type, description, keywords, sideEffects } = manifest
  assert.deepEqual(
    { license, engines, type, sideEffects },
    {
      license: 'MIT',
      engines: { node: '^20.19.0 || >=22.12.0' },
      type: 'module',
      sideEffects: SIDE_EFFECTS[name] ?? false,
    },
  )
  assert.ok(
    description?.length > 30 && keywords?.includes('postmark'),
    'description and keywords are for the search',
  )
  const directory = `packages/${name}`
  assert.deepEqual(
    { homepage: manifest.homepage, repository: manifest.repository, bugs: manifest.bugs },
    {
      homepage: homepage + directory,
      repository: { ...repository, directory },
      bugs: repository.url.replace(/^git\+|\.git$/g, '').concat('/issues'),
    },
    'the root package.json says where the project lives: npm run addresses',
  )
}

/** npm shows a README away from the repository: each link is a page of the site, with the heading that it names, or leads elsewhere. */
function checkLinks(name) {
  const readme = readFileSync(join(root, 'packages', name, 'README.md'), 'utf8').replace(
    /^```[\s\S]*?^```$/gm,
    '',
  )
  const targets = [...readme.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target]) => target)
  for (const target of targets.filter((each) => !each.startsWith('#'))) {
    const [path, anchor] = target.replace(homepage, '').split('#')
    if (!target.startsWith(homepage)) {
      assert.match(target, /^https:/, `${target} leads nowhere once it is on npm`)
      continue
    }
    const page = join(root, SITE, `${path || 'index'}.html`)
    assert.ok(existsSync(page), `${target}: the site has no such page. npm run docs:build`)
    if (anchor)
      assert.ok(readFileSync(page, 'utf8').includes(` id="${anchor}"`), `${target} has no such heading`)
  }
}

async function check(name) {
  const { stdout } = await run('npm', ['pack', '--dry-run', '--json'], { cwd: join(root, 'packages', name) })
  const [{ files, size, unpackedSize }] = JSON.parse(stdout)
  const packed = new Set(files.map(({ path }) => path))
  const expected = new Set(expectedFiles(name))
  const missing = [...expected].filter((path) => !packed.has(path))
  const stray = [...packed].filter((path) => !expected.has(path))
  const told = `Missing: ${missing}. Stray: ${stray}. Where dist holds what sources no longer do, remove it and build.`
  assert.ok(missing.length + stray.length === 0, told)
  checkManifest(name)
  checkLinks(name)
  sizes[name] = { packedBytes: size, unpackedBytes: unpackedSize }
  if (!update)
    for (const what of Object.keys(sizes[name])) compareSize(what, sizes[name][what], kept[name]?.[what])
}

function compareSize(what, bytes, before = 0) {
  const told = `${what} were ${before} and are ${bytes}. If that is meant: node compat/tarballs.mjs --update`
  assert.ok(Math.abs(bytes - before) <= before * TOLERANCE, told)
}

const names = Object.keys(manifests)
const sizes = Object.fromEntries(names.map((name) => [name, undefined]))
const results = await Promise.all(names.map((name) => attempt(`the tarball of ${name}`, () => check(name))))
if (update) writeFileSync(table, `${JSON.stringify(sizes, null, 2)}\n`)
report('compat-tarballs', results)
