import { readdirSync, readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { lockedVersions, readApp } from './app-locks.js'

const root = new URL('../', import.meta.url)
const apps = new URL('compat/apps/', root)
const read = (path: string) => readFileSync(new URL(path, root), 'utf8')

/** One row for each application: its dependencies, and the Nodemailer that each of them is locked to. */
function listVersions(): string {
  const names = readdirSync(apps).filter((name) => name.startsWith('works-with-'))
  const rows = names.map((name) => {
    const locked = lockedVersions(name)
    const libraries = Object.keys(readApp(name).dependencies ?? {}).map((library) => {
      const own = locked.get(`node_modules/${library}/node_modules/nodemailer`)
      const version = locked.get(`node_modules/${library}`)
      return `${library} ${version}${own ? ` (its own Nodemailer is ${own})` : ''}`
    })
    return `| [${name}](../compat/apps/${name}) | ${libraries.join(', ')} |`
  })
  return ['| Application | Versions |', '| --- | --- |', ...rows].join('\n')
}

/** After a change of an application or of compat/locks.json: `npx vitest run docs/works-with.test.ts -u`. */
it('docs/works-with.md has the versions that the applications are locked to, and the code of the applications', async () => {
  const made = read('docs/works-with.md')
    .replace(
      /(<!-- versions[^>]*-->\n)[\s\S]*(<!-- \/versions -->)/,
      (_all, begin, end) => `${begin}${listVersions()}\n${end}`,
    )
    .replace(
      /^(<!-- (works-with-\S+) -->\n```\w+\n)[\s\S]*?(^```$)/gm,
      (_all, begin, path, end) => `${begin}${read(`compat/apps/${path}`)}${end}`,
    )
  await expect(made).toMatchFileSnapshot(new URL('docs/works-with.md', root).pathname)
})

it('docs/works-with.md has no code that is not part of an application', () => {
  const fences = [...read('docs/works-with.md').matchAll(/^(.*)\n```\w+$/gm)].map(([, before]) => before)
  expect(fences).not.toEqual([])
  for (const before of fences) expect(before).toMatch(/^<!-- works-with-\S+ -->$/)
})
