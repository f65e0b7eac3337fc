/**
 * Checks what npm would publish: that a tarball holds what each source file compiles to, and nothing else; that its
 * package.json says what a registry and a reader need; and its size, against compat/tarballs.json.
 * Usage: npm run build && node compat/tarballs.mjs [--update]
 */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { attempt, manifests, report, root, run } from './harness.mjs'

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

/** What a wrong package.json would cost its readers later. */
function checkManifest({ license, engines, type, description, keywords, sideEffects, repository }) {
  assert.deepEqual(
    { license, engines, type },
    { license: 'MIT', engines: { node: '>=20.19' }, type: 'module' },
  )
  assert.ok(
    description?.length > 30 && keywords?.includes('postmark'),
    'description and keywords are for the search',
  )
  assert.equal(sideEffects, undefined, 'a server bundles nothing, and matchers are registered by an import')
  const repositories = new Set(Object.values(manifests).map((other) => other.repository?.url))
  assert.deepEqual(
    [...repositories],
    [repository?.url],
    'all packages come from one repository, or name none',
  )
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
  checkManifest(manifests[name])
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
