import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { lockedVersions } from './app-locks.js'

const root = new URL('../', import.meta.url)
const read = (path: string): string => readFileSync(new URL(path, root), 'utf8')
const readJson = <T>(path: string): T => JSON.parse(read(`compat/apps/context-zoo/${path}`))

type Outcome = 'kept' | 'lost' | 'mixed'
const outcomes =
  readJson<Readonly<Record<string, { readonly alone: Outcome; readonly captured: Outcome }>>>('outcomes.json')
const locked = lockedVersions('context-zoo')

/** Names the version of the library with which a line begins, to which the application is locked. */
function withVersion(title: string): string {
  const [, library, pattern] = /^([\w-]+): (.*)$/.exec(title) ?? []
  if (library === undefined) return title
  return `${library} ${locked.get(`node_modules/${library}`)}: ${pattern}`
}

/** After a change of the outcomes: `npx vitest run docs/context.test.ts -u`. */
it('docs/context.md has each pattern with what was measured', async () => {
  const order: readonly Outcome[] = ['mixed', 'lost', 'kept']
  const rows = Object.entries(outcomes)
    .toSorted(([, a], [, b]) => order.indexOf(a.alone) - order.indexOf(b.alone))
    .map(
      ([title, { alone, captured }]) =>
        `| ${withVersion(title)} | ${alone === 'kept' ? alone : `**${alone}**`} | ${captured} |`,
    )
  const table = [
    '| Pattern | Without `capturePostmark` | With `capturePostmark` |',
    '| --- | --- | --- |',
    ...rows,
  ].join('\n')
  const made = read('docs/context.md').replace(
    /(<!-- patterns[^>]*-->\n)[\s\S]*(<!-- \/patterns -->)/,
    (_all, from: string, to: string) => `${from}${table}\n${to}`,
  )
  expect(made).toContain(table)
  await expect(made).toMatchFileSnapshot(new URL('docs/context.md', root).pathname)
})

it('capturePostmark keeps the scope in every pattern', () => {
  expect(Object.keys(outcomes).length).toBeGreaterThanOrEqual(42)
  expect(Object.values(outcomes).filter(({ captured }) => captured !== 'kept')).toEqual([])
})
