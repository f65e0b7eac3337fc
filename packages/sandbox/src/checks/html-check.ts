import { CLIENT_SUPPORT, MAIL_CLIENTS } from './client-support.js'
import { findFeatures } from './html-features.js'

/** A feature in the HTML of an email that not every mail client supports. */
export interface ClientFinding {
  /** @example 'display:flex' */
  readonly title: string
  /** The page that describes its tests. */
  readonly url: string
  /** How often it was found. */
  readonly count: number
  /** The clients that do not support it. @example ['Outlook Windows'] */
  readonly unsupported: readonly string[]
  /** The clients that support a part of it, or support it only in some places. */
  readonly partly: readonly string[]
}

/** Compares the HTML of an email with what mail clients support. What fails in most of them comes first. */
export function checkHtml(html: string): ClientFinding[] {
  const rows = rowsOfKey()
  const counts = new Map<SupportRow, number>()
  for (const [key, count] of findFeatures(html)) {
    const row = rows.get(key)
    if (row) counts.set(row, (counts.get(row) ?? 0) + count)
  }
  return [...counts]
    .map(([{ title, slug, letters }, count]) => ({
      title,
      url: `https://www.caniemail.com/features/${slug}/`,
      count,
      unsupported: clientsWith(letters, 'n'),
      partly: clientsWith(letters, 'a'),
    }))
    .sort((a, b) => b.unsupported.length - a.unsupported.length || b.partly.length - a.partly.length)
}

interface SupportRow {
  readonly title: string
  readonly slug: string
  readonly letters: string
}

let cached: ReadonlyMap<string, SupportRow> | undefined

/** Read when the first email is checked, because most sandboxes check none. */
function rowsOfKey(): ReadonlyMap<string, SupportRow> {
  cached ??= new Map(
    CLIENT_SUPPORT.trim()
      .split('\n')
      .flatMap((line) => {
        const [keys = '', title = '', slug = '', letters = ''] = line.split('|')
        const row = { title, slug, letters }
        return keys.split(' ').map((key) => [key, row] as const)
      }),
  )
  return cached
}

function clientsWith(letters: string, letter: string): string[] {
  return MAIL_CLIENTS.filter((_, index) => letters[index] === letter)
}
