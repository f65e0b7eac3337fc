import type { Reply } from './reply-reader.js'

/** What a server offers in its reply to EHLO (RFC 5321 §4.1.1.1). */
export interface Capabilities {
  /** Keywords in upper case, with their parameters. */
  readonly keywords: ReadonlyMap<string, string>
  /** AUTH mechanisms in upper case, including those of the old form `AUTH=`. */
  readonly mechanisms: readonly string[]
}

/** Offers nothing: for a server that only knows HELO, and until the first EHLO. */
export const NO_CAPABILITIES: Capabilities = { keywords: new Map(), mechanisms: [] }

/** Reads the reply to EHLO. @example parseCapabilities(reply).keywords.has('PIPELINING') */
export function parseCapabilities({ lines }: Reply): Capabilities {
  const keywords = new Map<string, string>()
  const mechanisms: string[] = []
  for (const line of lines.slice(1)) {
    const [, keyword = '', rest = ''] = /^([A-Za-z0-9][A-Za-z0-9-]*)(?:[ =](.*))?$/.exec(line.trim()) ?? []
    if (keyword === '') continue
    const name = keyword.toUpperCase()
    if (name === 'AUTH') mechanisms.push(...rest.trim().toUpperCase().split(/\s+/))
    keywords.set(name, rest.trim())
  }
  return { keywords, mechanisms: [...new Set(mechanisms)].filter((name) => name !== '') }
}
