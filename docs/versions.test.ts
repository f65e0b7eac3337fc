import { readFileSync } from 'node:fs'
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
  const table = ['| Application | Runs with |', '| --- | --- |', ...APPS.map(toRow)].join('\n')
  const made = page.replace(place, (_all, from: string, to: string) => `${from}${table}\n${to}`)
  await expect(made).toMatchFileSnapshot(new URL('docs/frameworks.md', root).pathname)
})
