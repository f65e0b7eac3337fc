import { existsSync, readFileSync } from 'node:fs'
import { dirname, join, posix, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The folder of the repository. */
export const root: string = fileURLToPath(new URL('../..', import.meta.url))

const { homepage, repository } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  homepage: string
  repository: { url: string }
}
/** The address of the site, with the slash at its end. */
export const site: string = homepage
/** The page of the repository. */
export const repositoryPage: string = repository.url.replace(/^git\+|\.git$/g, '')

/** The page that a Markdown file becomes: docs/x.md is x, packages/x/README.md is packages/x. */
export function toPage(file: string): string {
  return file.replace(/^docs\//, '').replace(/\/README\.md$/, '.md')
}

/** The Markdown file of an address of the site without `.html`, as package READMEs have it. */
function toFile(page: string): string {
  return /^(packages|examples)\//.test(page) ? `${page}/README.md` : `docs/${page || 'index'}.md`
}

/** Whether a file of the repository is a page of the site. */
function isPage(file: string): boolean {
  if (!existsSync(join(root, file))) return false
  if (/^packages\/[^/]+\/README\.md$/.test(file))
    return !JSON.parse(readFileSync(join(root, dirname(file), 'package.json'), 'utf8')).private
  return /^docs\/(decisions\/)?[^/]+\.md$|^examples\/[^/]+\/README\.md$/.test(file)
}

/**
 * Where a link of a Markdown file leads on the site. On GitHub it leads to a file: here that is a page, where the file
 * is one, else the file at GitHub.
 * @example toLink('../packages/core/README.md#start', 'docs/transport.md') // '/packages/core#start'
 */
export function toLink(target: string, from: string): string {
  const onSite = target.startsWith(site)
  if (!onSite && (/^[a-z]+:|^\/|^#/.test(target) || target === '')) return target
  const [path = '', anchor] = (onSite ? target.slice(site.length) : target).split('#')
  const given = onSite ? toFile(path) : posix.join(posix.dirname(from), path).replace(/\/$/, '')
  const file = isPage(`${given}/README.md`) ? `${given}/README.md` : given
  const end = anchor ? `#${anchor}` : ''
  if (isPage(file)) return `/${toPage(file).replace(/\.md$/, '')}${end}`
  // A page that is made and has no file of its own: VitePress knows whether there is one.
  if (onSite) return `/${path}${end}`
  return `${repositoryPage}/${file.endsWith('.md') || file.includes('.') ? 'blob' : 'tree'}/main/${file}${end}`
}

/** A file's path from the root, in the form of links. */
export function toRelative(path: string): string {
  return relative(root, path).replaceAll('\\', '/')
}

/** The anchor of a heading, as GitHub makes it, so that links work there and on the site. */
export function toAnchor(heading: string): string {
  return heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-')
}
