import { readdirSync, readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { lockedVersions, readApp } from './app-locks.js'

const APPS = ['express-4', 'express-5', 'fastify-5', 'hono-4', 'frameworks', 'next-16']

const root = new URL('../', import.meta.url)
const read = (path: string) => readFileSync(new URL(path, root), 'utf8')

/** What an application of compat depends on, each with the version that it is locked to. */
function toRow(app: string): string {
  const locked = lockedVersions(app)
  const names = Object.keys(readApp(app).dependencies ?? {})
  const versions = names.map((name) => `${name} ${locked.get(`node_modules/${name}`)}`)
  return `| [${app}](../compat/apps/${app}) | ${versions.join(', ')} |`
}

/** After a change of compat/locks.json: `npx vitest run docs/versions.test.ts -u`. */
it('docs/frameworks.md names the versions that the applications are locked to', async () => {
  const place = /(<!-- versions[^>]*-->\n)[\s\S]*(<!-- \/versions -->)/
  const page = read('docs/frameworks.md')
  expect(page).toMatch(place)
  const table = ['| Application | Versions |', '| --- | --- |', ...APPS.map(toRow)].join('\n')
  const made = page.replace(place, (_all, from: string, to: string) => `${from}${table}\n${to}`)
  await expect(made).toMatchFileSnapshot(new URL('docs/frameworks.md', root).pathname)
})

interface Manifest {
  readonly name: string
  readonly private?: boolean
  readonly engines: { readonly node: string }
  readonly peerDependencies?: Readonly<Record<string, string>>
}
/** What no application chooses for us: types, and what others bring along. */
const NOT_SHOWN = ['@types/nodemailer', 'reflect-metadata', 'rxjs']

const manifests = readdirSync(new URL('packages/', root))
  .map((name): Manifest => JSON.parse(read(`packages/${name}/package.json`)))
  .filter((manifest) => !manifest.private)
const { packages: installed }: { packages: Readonly<Record<string, { name?: string; version?: string }>> } =
  JSON.parse(read('package-lock.json'))
const apps = readdirSync(new URL('compat/apps/', root))

/** The versions of a library with which the tests of the packages or an application of compat run. */
function testedVersions(library: string): string[] {
  const inTests = Object.entries(installed)
    .filter(
      ([path, { name }]) =>
        name === library ||
        path === `node_modules/${library}` ||
        path === `packages/nest-11/node_modules/${library}`,
    )
    .map(([, { version }]) => version)
  const inApps = apps.map((app) => lockedVersions(app).get(`node_modules/${library}`))
  const versions = [...inTests, ...inApps].filter((version) => version !== undefined)
  return [...new Set(versions)].toSorted((a, b) => a.localeCompare(b, 'en', { numeric: true }))
}

/** Each peer of our packages: who asks for it, the range, and what was tested. */
function peerRows(): string[] {
  const peers = new Map<string, { range: string; askedBy: string[] }>()
  for (const { name, peerDependencies = {} } of manifests) {
    for (const [peer, range] of Object.entries(peerDependencies)) {
      if (NOT_SHOWN.includes(peer)) continue
      const row = peers.get(peer) ?? { range, askedBy: [] }
      expect(range, `${name} and ${row.askedBy} ask for ${peer}`).toBe(row.range)
      peers.set(peer, { range, askedBy: [...row.askedBy, name.replace('@postmark-smtp/', '')] })
    }
  }
  return [...peers]
    .toSorted(([a], [b]) => a.localeCompare(b))
    .map(
      ([peer, { range, askedBy }]) =>
        `| ${peer} | \`${range.replaceAll('|', '\\|')}\` | ${testedVersions(peer).join(', ')} | ${askedBy.join(', ')} |`,
    )
}

/** The versions of Node: the gate runs on the first, and every package on all of them. */
function nodeVersions(): string {
  const { optionalDependencies } = JSON.parse(read('compat/apps/node-versions/package.json')) as {
    optionalDependencies: Readonly<Record<string, string>>
  }
  const others = Object.values(optionalDependencies).map((version) =>
    version.slice(version.lastIndexOf('@') + 1),
  )
  return ['20', ...others].join(', ')
}

/** After a change of a peer, of a version or of compat/locks.json: `npx vitest run docs/versions.test.ts -u`. */
it('docs/compatibility.md has each peer with its range and the versions that the tests run with', async () => {
  const { engines } = manifests[0]!
  const types = read('compat/types.mjs')
  const compilers = [...types.matchAll(/^ {2}([\d.]+): join\(/gm)].map(([, version]) => version)
  const rows = [
    `| Node | \`${engines.node.replaceAll('|', '\\|')}\` | ${nodeVersions()} | all |`,
    ...peerRows(),
    `| TypeScript | 5.8 or later | ${compilers.join(', ')} | all, in applications written in TypeScript |`,
  ]
  const table = ['| Library | Range | Tested with | Used by |', '| --- | --- | --- | --- |', ...rows].join(
    '\n',
  )
  const place = /(<!-- matrix[^>]*-->\n)[\s\S]*(<!-- \/matrix -->)/
  const page = read('docs/compatibility.md')
  expect(page).toMatch(place)
  const made = page.replace(place, (_all, from: string, to: string) => `${from}${table}\n${to}`)
  await expect(made).toMatchFileSnapshot(new URL('docs/compatibility.md', root).pathname)
})
