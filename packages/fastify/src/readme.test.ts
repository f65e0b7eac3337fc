import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import * as fastify from './index.js'

it('the table of exports in the README has each function that the package exports, and no other', () => {
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8')
  const rows = readme.match(/\| Export \|[^\n]*\n[\s\S]*?\n\n/)?.[0].split('\n') ?? []
  const named = rows.flatMap((row) =>
    [...(row.split(' | ')[0] ?? '').matchAll(/`(\w+)/g)].map(([, name]) => name),
  )
  expect([...new Set(named)].toSorted()).toEqual(Object.keys(fastify).toSorted())
})
