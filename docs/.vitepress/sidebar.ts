import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { DefaultTheme } from 'vitepress'
import { root, toPage } from './pages.js'
import { entryPoints } from './reference.js'

type Group = readonly [title: string, files: readonly string[]]

/** The documents, grouped by task. */
const GROUPS: readonly Group[] = [
  ['Start', ['getting-started', 'migration', 'comparison', 'recipes', 'frameworks', 'works-with']],
  ['Send', ['fields', 'transport', 'send-once', 'errors']],
  ['Context', ['context']],
  ['Queues and bulk', ['queues', 'bulk']],
  ['Receive events', ['webhooks', 'reconcile']],
  ['Test', ['sandbox', 'sandbox-team', 'sandbox-library', 'jest']],
  ['Operate', ['production', 'doctor', 'observability', 'performance']],
]
const REFERENCE: readonly string[] = ['compatibility', 'quirks', 'coding-agents']

/** Returns the first heading of a file. */
function titleOf(file: string): string {
  const [, title = file] = /^# (.*)$/m.exec(readFileSync(join(root, file), 'utf8')) ?? []
  return title.replaceAll('`', '')
}

const toItem = (file: string): DefaultTheme.SidebarItem => ({
  text: titleOf(file),
  link: `/${toPage(file).replace(/\.md$/, '')}`,
})
const toItems = (folder: string, isWanted: (name: string) => boolean): DefaultTheme.SidebarItem[] =>
  readdirSync(join(root, folder))
    .filter(isWanted)
    .map((name) => toItem(`${folder}/${name}/README.md`))

const isPublished = (name: string): boolean =>
  !JSON.parse(readFileSync(join(root, 'packages', name, 'package.json'), 'utf8')).private

/** Creates the sidebar: the tasks first, then the reference. */
export function createSidebar(): DefaultTheme.SidebarItem[] {
  // Any other document goes to the end of the first group, so that every page can be reached.
  const placed = new Set([...GROUPS.flatMap(([, files]) => files), ...REFERENCE, 'index'])
  const others = readdirSync(join(root, 'docs'))
    .filter((name) => name.endsWith('.md') && !placed.has(name.replace('.md', '')))
    .map((name) => toItem(`docs/${name}`))
  const groups = GROUPS.map(([text, files], index) => ({
    text,
    items: [...files.map((file) => toItem(`docs/${file}.md`)), ...(index === 0 ? others : [])],
  }))
  const decisions = readdirSync(join(root, 'docs/decisions')).map((name) => toItem(`docs/decisions/${name}`))
  return [
    ...groups,
    {
      text: 'Reference',
      items: [
        ...REFERENCE.map((file) => toItem(`docs/${file}.md`)),
        { text: 'Packages', items: toItems('packages', isPublished) },
        {
          text: 'API',
          items: entryPoints.map(({ name, entry }) => ({ text: name, link: `/reference/${entry}` })),
        },
        { text: 'Examples', items: toItems('examples', () => true) },
        { text: 'Decisions', items: decisions },
      ],
    },
  ]
}
