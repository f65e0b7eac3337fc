import { readdirSync, readFileSync } from 'node:fs'
import { expect, it } from 'vitest'

/**
 * Words that a native technical writer would not use in this sense, with what to write. A line in which such a word is
 * right is matched by `unless`.
 */
const WORDS: readonly { readonly word: RegExp; readonly write: string; readonly unless?: RegExp }[] = [
  {
    word: /\bstands?\b|\bstood\b/i,
    write: 'is, must be, applies',
    unless: /\bstands? (in )?for\b|stand-in/i,
  },
  { word: /\balone\b/i, write: 'only', unless: /\bleft alone\b|\bNodemailer alone\b/i },
  {
    word: /\bbehind\b/i,
    write: 'after',
    unless: /\bbehind (a|the|your) (firewall|proxy|load balancer|NAT)/i,
  },
  { word: /\bbeside\b/i, write: 'next to, as well as' },
  { word: /\bmend(s|ed|ing)?\b/i, write: 'correct, fix' },
  { word: /\bbelongs? into\b/i, write: 'belongs in' },
  { word: /\btells\b/i, write: 'says, reports, returns', unless: /\btells .*\b(apart|from)\b/i },
  { word: /\bcosts? (a|one|the|no) (mail|login|event|job)\b/i, write: 'loses an email, takes a login' },
  { word: /\bin vain\b/i, write: 'without a result' },
  { word: /\bat the most\b/i, write: 'at most' },
  { word: /\ba mails?\b(?! (client|server|catcher|queue))/i, write: 'an email' },
  { word: /\bin (the )?place of\b/i, write: 'instead of' },
  { word: /\bfails? at once\b/i, write: 'throws immediately' },
  { word: /\balso (where|when)\b/i, write: 'even if' },
  { word: /\b(whoever|all the same|set up wrongly)\b/i, write: 'the actor; anyway; misconfigured' },
]

const root = new URL('../../../', import.meta.url)

/** The files that people read: documents, and sources with their messages and docstrings; tests may quote anything. */
function files(folder: string): string[] {
  return readdirSync(new URL(folder, root), { withFileTypes: true }).flatMap((entry) => {
    const path = `${folder}${entry.name}`
    if (entry.isDirectory()) return SKIPPED.test(entry.name) ? [] : files(`${path}/`)
    return /\.(md|ts|yml)$/.test(entry.name) && !/\.(test|soak)\.ts$|^CHANGELOG/.test(entry.name)
      ? [path]
      : []
  })
}

/** Folders that are made, or are not ours. */
const SKIPPED = /^(node_modules|dist|api|apps|\.(git|turbo|results|snippets|vitepress))$/

const lines = files('').flatMap((path) =>
  readFileSync(new URL(path, root), 'utf8')
    .split('\n')
    .map((line, index) => ({ place: `${path}:${index + 1}`, line })),
)

it.each(WORDS)('no document, message or comment has $word (write: $write)', ({ word, unless }) => {
  const found = lines.filter(({ line }) => word.test(line) && !unless?.test(line))
  expect(found.map(({ place, line }) => `${place} ${line.trim()}`)).toEqual([])
})

it('the words are looked for in documents and sources', () => {
  expect(lines.length).toBeGreaterThan(20_000)
})
