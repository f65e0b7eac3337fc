import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { expect, it } from 'vitest'

/** Links of the documents lead somewhere: to a file that is there, and to a heading that it has. */
const root = new URL('../', import.meta.url)
const inFolder = (folder: string) =>
  readdirSync(new URL(folder, root))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `${folder}${name}`)

const documents = [
  ...inFolder('./'),
  ...inFolder('docs/'),
  ...inFolder('docs/decisions/'),
  ...['packages', 'examples'].flatMap((folder) =>
    readdirSync(new URL(`${folder}/`, root)).map((name) => `${folder}/${name}/README.md`),
  ),
]
const { homepage } = JSON.parse(readFileSync(new URL('package.json', root), 'utf8')) as { homepage: string }

/** A link to a page of the site, as package READMEs have it, is one to the file that the page is made of. */
function toPath(target: string, document: string): string {
  if (!target.startsWith(homepage)) return target
  const [path = '', anchor] = target.slice(homepage.length).split('#')
  const file = /^(packages|examples)\//.test(path) ? `${path}/README.md` : `docs/${path}.md`
  return `${document.replace(/[^/]+/g, '..').slice(0, -2)}${file}${anchor ? `#${anchor}` : ''}`
}

const links = documents.flatMap((document) => {
  const text = readFileSync(new URL(document, root), 'utf8').replace(/^```[\s\S]*?^```$/gm, '')
  return [...text.matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, target = '']) => toPath(target, document))
    .filter((target) => !/^[a-z]+:/.test(target))
    .map((target) => ({ document, target }))
})

it('there are links in the README and in package READMEs', () => {
  expect(links.filter(({ document }) => document === './README.md').length).toBeGreaterThan(10)
})

it.each(links)('$document leads to $target', ({ document, target }) => {
  const [path = '', anchor] = target.split('#')
  const file = path === '' ? new URL(document, root) : new URL(path, new URL(document, root))
  expect(existsSync(file)).toBe(true)
  if (anchor) expect(anchorsOf(readFileSync(file, 'utf8'))).toContain(anchor)
})

it.each(readdirSync(new URL('examples/', root)))('examples/%s/README.md names each file', (name) => {
  const readme = readFileSync(new URL(`examples/${name}/README.md`, root), 'utf8')
  const files = readdirSync(new URL(`examples/${name}/`, root)).filter((file) =>
    /(?<!\.test)\.(ts|sql)$/.test(file),
  )
  expect(files.filter((file) => !readme.includes(file))).toEqual([])
})

/** The anchors of headings, as GitHub makes them. */
function anchorsOf(text: string): string[] {
  return [...text.matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  )
}
