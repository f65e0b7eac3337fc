import { existsSync, readFileSync } from 'node:fs'
import { dirname, join, posix, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The root folder of the repository. */
export const root: string = fileURLToPath(new URL('../..', import.meta.url))

const { homepage, repository } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  homepage: string
  repository: { url: string }
}
/** The URL of the site, with a trailing slash. */
export const site: string = homepage
/** The URL of the repository. */
export const repositoryPage: string = repository.url.replace(/^git\+|\.git$/g, '')

/** Returns the page for a Markdown file: docs/x.md becomes x.md, packages/x/README.md becomes packages/x.md. */
export function toPage(file: string): string {
  return file.replace(/^docs\//, '').replace(/\/README\.md$/, '.md')
}

/** Returns the Markdown file for a page of the site. Package READMEs link to pages, without `.html`. */
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
 * Returns the target that a link in a Markdown file has on the site: a page if the linked file is one, otherwise the file
 * on GitHub.
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
  // A generated page has no file. VitePress knows whether it exists.
  if (onSite) return `/${path}${end}`
  return `${repositoryPage}/${file.endsWith('.md') || file.includes('.') ? 'blob' : 'tree'}/main/${file}${end}`
}

/** Returns a file's path relative to the root, with slashes as in links. */
export function toRelative(path: string): string {
  return relative(root, path).replaceAll('\\', '/')
}

/** Returns the anchor of a heading as GitHub creates it, so that links work on GitHub and on the site. */
export function toAnchor(heading: string): string {
  return heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-')
}
