/**
 * The root package.json is the one place that says where the project lives: `repository` and `homepage`, the site.
 * This writes both into what npm publishes: the package.json of each package, and the links of its README.
 * With --release it writes nothing, and exits with 1 as long as nobody has set the owner: `npm run release` starts with it.
 * Usage: node scripts/addresses.js [--release]
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const read = (path) => readFileSync(join(root, path), 'utf8')
const { homepage, repository } = JSON.parse(read('package.json'))
const page = repository.url.replace(/^git\+|\.git$/g, '')

/** What a package.json says of the project, in the order that npm's own tools keep. */
function withAddresses({ name, version, description, keywords, ...others }, folder) {
  return {
    name,
    version,
    description,
    keywords,
    ...others,
    homepage: `${homepage}packages/${folder}`,
    bugs: `${page}/issues`,
    repository: { ...repository, directory: `packages/${folder}` },
  }
}

function rewrite(path, change) {
  const before = read(path)
  const after = change(before)
  if (after !== before) writeFileSync(join(root, path), after)
}

function writeAddresses() {
  const { homepage: old = '' } = JSON.parse(read('packages/core/package.json'))
  const oldSite = old.replace(/packages\/core$/, '')
  const move = (text) => (oldSite ? text.replaceAll(oldSite, homepage) : text)
  for (const folder of readdirSync(join(root, 'packages'))) {
    rewrite(`packages/${folder}/README.md`, move)
    const manifest = JSON.parse(read(`packages/${folder}/package.json`))
    if (manifest.private) continue
    const changed = JSON.stringify(withAddresses(manifest, folder), null, 2)
    rewrite(`packages/${folder}/package.json`, () => `${changed}\n`)
  }
  rewrite('.github/ISSUE_TEMPLATE/config.yml', move)
}

if (!process.argv.includes('--release')) writeAddresses()
else if (`${homepage} ${page}`.includes('_owner_')) {
  console.error(
    'The root package.json names no owner yet: put the real addresses into `repository` and `homepage`, then run `npm run addresses` and `npm test -- docs -u`.',
  )
  process.exitCode = 1
}
