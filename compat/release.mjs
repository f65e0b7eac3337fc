/**
 * Does what a release does, on a copy of the tree: `changeset version`, then `npm publish --dry-run` of each tarball.
 * Usage: npm run build && node compat/release.mjs
 */
import assert from 'node:assert/strict'
import { cpSync, existsSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { attempt, manifests, report, root, run, temporary } from './harness.mjs'

const cwd = join(temporary, 'release')
const names = Object.keys(manifests)
const folderOf = (name) => join(cwd, 'packages', name)
const readManifest = (name) => JSON.parse(readFileSync(join(folderOf(name), 'package.json'), 'utf8'))

/** A repository of one commit with the files as they are now: changesets reads its history. */
async function copyTree() {
  const { stdout } = await run('git', ['ls-files', '-z', '-co', '--exclude-standard'], { cwd: root })
  const files = stdout.split('\0').filter((file) => file && existsSync(join(root, file)))
  const built = names.map((name) => `packages/${name}/dist`)
  for (const file of [...files, ...built]) cpSync(join(root, file), join(cwd, file), { recursive: true })
  // Right after a release there is none.
  writeFileSync(
    join(cwd, '.changeset/some-change.md'),
    "---\n'@postmark-smtp/core': patch\n---\n\nA change.\n",
  )
  symlinkSync(join(root, 'node_modules'), join(cwd, 'node_modules'))
  const identity = ['-c', 'user.name=release', '-c', 'user.email=release@example.com']
  for (const command of [
    ['init', '-q'],
    ['add', '-A'],
    [...identity, 'commit', '-q', '-m', 'release'],
  ]) {
    await run('git', command, { cwd })
  }
}

/** Every package gets the same version, a changelog of it, and asks for that version of the others, with a caret or without as before. */
async function version() {
  await run(process.execPath, [join(root, 'node_modules/@changesets/cli/bin.js'), 'version'], { cwd })
  const released = readManifest('core').version
  assert.notEqual(released, manifests.core.version)
  for (const name of names) {
    const manifest = readManifest(name)
    assert.equal(manifest.version, released, name)
    const before = { ...manifests[name].dependencies, ...manifests[name].peerDependencies }
    const ours = Object.entries({ ...manifest.dependencies, ...manifest.peerDependencies }).filter(([key]) =>
      key.startsWith('@postmark-smtp/'),
    )
    for (const [key, range] of ours) {
      // An exact version stays exact: what leaves `internal` may change in any release.
      const caret = before[key].startsWith('^') ? '^' : ''
      assert.equal(range, caret + released, `${name} asks for ${key}`)
    }
    const changelog = readFileSync(join(folderOf(name), 'CHANGELOG.md'), 'utf8')
    assert.ok(changelog.startsWith(`# @postmark-smtp/${name}\n\n## ${released}\n`), changelog.slice(0, 200))
  }
}

async function publish(name) {
  const { stderr } = await run('npm', ['publish', '--dry-run', '--access', 'public'], { cwd: folderOf(name) })
  const corrected = stderr.split('\n').filter((line) => /corrected|was cleaned/.test(line))
  assert.deepEqual(corrected, [], 'npm pkg fix')
}

await copyTree()
const results = [await attempt('changeset version', version)]
for (const name of names) results.push(await attempt(`npm publish --dry-run of ${name}`, () => publish(name)))
report('compat-release', results)
