import { copyFileSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { defineConfig, type MarkdownOptions } from 'vitepress'
import { repositoryPage, root, site, toAnchor, toLink, toPage, toRelative } from './pages.js'
import { createSidebar } from './sidebar.js'

/** Private packages are only for contributors, who can read their READMEs on GitHub. */
const unpublished = readdirSync(join(root, 'packages')).filter(
  (name) => JSON.parse(readFileSync(join(root, 'packages', name, 'package.json'), 'utf8')).private,
)

/** An envelope. */
const ICON =
  "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E%3Cpath fill='%232f5bb7' d='M1 3h14v10H1z'/%3E%3Cpath fill='none' stroke='%23fff' d='m1.5 3.5 6.5 5 6.5-5'/%3E%3C/svg%3E"

type MarkdownIt = Parameters<NonNullable<MarkdownOptions['config']>>[0]

/** The links in the documents point to files, so that they work on GitHub. On the site, they point to pages. */
function followLinks(md: MarkdownIt): void {
  md.core.ruler.push('links-to-pages', ({ tokens, env }) => {
    const from = toRelative(env.realPath ?? env.path)
    for (const token of tokens.flatMap(({ children }) => children ?? [])) {
      const target = token.type === 'link_open' ? token.attrGet('href') : null
      if (target !== null) token.attrSet('href', toLink(target, from))
    }
  })
}

/** Double braces in the documents are not Vue expressions. */
function keepBraces(md: MarkdownIt): void {
  for (const kind of ['text', 'code_inline'] as const) {
    const render = md.renderer.rules[kind]
    md.renderer.rules[kind] = (...args) => (render?.(...args) ?? '').replaceAll('{{', '&#123;&#123;')
  }
}

export default defineConfig({
  title: 'postmark-smtp',
  description:
    'Send email through Postmark’s SMTP servers with Nodemailer: typed fields, request context, checks before sending',
  lang: 'en',
  head: [['link', { rel: 'icon', href: ICON }]],
  base: new URL(site).pathname,
  cleanUrls: true,
  // The READMEs of packages and examples are part of the site.
  srcDir: '..',
  srcExclude: [
    '*.md',
    '.*/**',
    'compat/**',
    'docs/{api,.snippets}/**',
    '**/CHANGELOG.md',
    ...unpublished.map((name) => `packages/${name}/**`),
  ],
  rewrites: toPage,
  sitemap: { hostname: site },
  markdown: {
    anchor: { slugify: toAnchor },
    theme: { light: 'github-light-high-contrast', dark: 'github-dark-high-contrast' },
    config(md) {
      followLinks(md)
      keepBraces(md)
    },
  },
  themeConfig: {
    search: { provider: 'local' },
    sidebar: createSidebar(),
    outline: [2, 3],
    nav: [
      { text: 'Getting started', link: '/getting-started' },
      { text: 'Compatibility', link: '/compatibility' },
      { text: 'API', link: '/reference/core' },
    ],
    socialLinks: [{ icon: 'github', link: repositoryPage }],
    footer: { message: 'MIT licence. This project is independent of Postmark and its owner.' },
  },
  buildEnd: ({ outDir }) => copyFileSync(join(root, 'llms.txt'), join(outDir, 'llms.txt')),
})
