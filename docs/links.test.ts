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
  ...readdirSync(new URL('packages/', root)).map((name) => `packages/${name}/README.md`),
]
const links = documents.flatMap((document) => {
  const text = readFileSync(new URL(document, root), 'utf8').replace(/^```[\s\S]*?^```$/gm, '')
  return [...text.matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, target = '']) => target)
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

/** The anchors of headings, as GitHub makes them. */
function anchorsOf(text: string): string[] {
  return [...text.matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  )
}
