import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { createWebhookHandler, type PostmarkError, type WebhookHandlerOptions } from './index.js'

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8')
/** The names in the first column of the table that begins with this heading. */
function firstColumn(heading: string): string[] {
  const rows = readme
    .slice(readme.indexOf(`| ${heading} |`))
    .split('\n\n')[0]!
    .split('\n')
    .slice(2)
  return rows.flatMap((row) => [...(row.split(' | ')[0] ?? '').matchAll(/`(\w+)/g)].map(([, name]) => name!))
}
/** What is known, as the error for an unknown option lists it. */
function known(options: object): string[] {
  try {
    createWebhookHandler(options as WebhookHandlerOptions)
  } catch (error) {
    return (error as PostmarkError).hint.replace(/^Known options: |\.$/g, '').split(', ')
  }
  throw new Error('An unknown option was taken.')
}

it('the README has each option of createWebhookHandler', () => {
  expect(firstColumn('Option').toSorted()).toEqual(known({ qqqqqqqq: 1 }).toSorted())
})

it('the README has each kind of event', () => {
  const auth = { basic: { username: 'postmark', password: 'readme-5f7e9d1c' } }
  const kinds = known({ auth, on: { qqqqqqqq: 1 } }).filter((kind) => kind !== 'any')
  expect(firstColumn('`event.kind`').toSorted()).toEqual(kinds.toSorted())
})
