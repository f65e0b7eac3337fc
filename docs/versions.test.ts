import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'

const APPS = ['express-4', 'express-5', 'fastify-5', 'hono-4', 'frameworks', 'next-16']

const root = new URL('../', import.meta.url)
const read = (path: string) => readFileSync(new URL(path, root), 'utf8')

interface Lock {
  readonly packages: Readonly<
    Record<string, { readonly version?: string; readonly dependencies?: Readonly<Record<string, string>> }>
  >
}

/** What an application of compat depends on, each with the version in its lock file. */
function toRow(app: string): string {
  const { packages }: Lock = JSON.parse(read(`compat/apps/${app}/package-lock.json`))
  const names = Object.keys(packages['']?.dependencies ?? {})
  const versions = names.map((name) => `${name} ${packages[`node_modules/${name}`]?.version}`)
  return `| [${app}](../compat/apps/${app}) | ${versions.join(', ')} |`
}

/** After a change of a lock file: `npx vitest run docs/versions.test.ts -u`. */
it('docs/frameworks.md names the versions of the lock files', async () => {
  const place = /(<!-- versions[^>]*-->\n)[\s\S]*(<!-- \/versions -->)/
  const page = read('docs/frameworks.md')
  expect(page).toMatch(place)
  const table = ['| Application | Runs with |', '| --- | --- |', ...APPS.map(toRow)].join('\n')
  const made = page.replace(place, (_all, from: string, to: string) => `${from}${table}\n${to}`)
  await expect(made).toMatchFileSnapshot(new URL('docs/frameworks.md', root).pathname)
})
