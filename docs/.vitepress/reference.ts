import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './pages.js'

/** An entry point of a package that applications import. */
export interface EntryPoint {
  /** The name to import from. */
  readonly name: string
  /** The name of its report in docs/api and of its page. */
  readonly entry: string
  /** The folder of its package. */
  readonly folder: string
}

const reports = join(root, 'docs/api')
const folders = readdirSync(join(root, 'packages')).toSorted((a, b) => b.length - a.length)

/** All entry points that have a report. Internal entry points have none. */
export const entryPoints: readonly EntryPoint[] = readdirSync(reports)
  .map((file) => file.replace('.api.md', ''))
  .map((entry) => {
    const folder = folders.find((each) => entry === each || entry.startsWith(`${each}-`)) ?? entry
    return { name: `@postmark-smtp/${entry.replace(`${folder}-`, `${folder}/`)}`, entry, folder }
  })

/** Returns the sources of a package, without tests, as one text. */
function readSources(folder: string): string {
  const path = join(root, 'packages', folder, 'src')
  return readdirSync(path, { recursive: true, encoding: 'utf8' })
    .filter((file) => /\.c?ts$/.test(file) && !/\.test\.ts$/.test(file))
    .map((file) => readFileSync(join(path, file), 'utf8'))
    .join('\n')
}

const sources = new Map<string, string>()
const sourcesOf = (folder: string): string => {
  if (!sources.has(folder)) sources.set(folder, readSources(folder))
  return sources.get(folder) ?? ''
}

/** Returns the docstring of an export as Markdown: the description first, then each tag. */
function describe(name: string, text: string): string {
  const declared = RegExp(
    `/\\*\\*((?:(?!\\*/)[\\s\\S])*)\\*/\\s*export (?:declare |abstract |async )*(?:const|function|class|interface|type) ${name}\\b`,
  )
  const [, comment = ''] = declared.exec(text) ?? []
  const plain = comment
    .split('\n')
    .map((line) => line.replace(/^\s*\* ?/, ''))
    .join('\n')
    .replace(/\{@link (\S+?)\}/g, '`$1`')
    .trim()
  const [sentences = '', ...tags] = plain.split(/^@(?=\w)/m)
  const parts = tags.map((tag) => {
    const [, kind = '', rest = ''] = /^(\w+)\s*([\s\S]*)$/.exec(tag.trim()) ?? []
    if (kind === 'example') return rest.includes('```') ? rest : `\`\`\`ts\n${rest}\n\`\`\``
    const label = { throws: 'Throws', see: 'See', default: 'Default', deprecated: 'Deprecated' }[kind] ?? kind
    return `**${label}:** ${escapeHtml(rest)}`
  })
  return [escapeHtml(sentences.trim()), ...parts].filter(Boolean).join('\n\n')
}

/** Escapes text outside of code, where `<` would start an HTML element. */
function escapeHtml(text: string): string {
  return text
    .split(/(`[^`]*`)/)
    .map((part, index) =>
      index % 2 === 0 ? part.replaceAll('<', '&lt;').replaceAll('{{', '&#123;&#123;') : part,
    )
    .join('')
}

/** Returns the page of an entry point: each public declaration in its report, with the docstring from the source. */
export function writeReference({ name, entry, folder }: EntryPoint): string {
  const report = readFileSync(join(reports, `${entry}.api.md`), 'utf8')
  const [, code = ''] = /^```ts\n([\s\S]*?)^```$/m.exec(report) ?? []
  const others = [folder, 'core', 'webhooks'].map(sourcesOf).join('\n')
  const sections = code.split(/^(?=\/\/ @public)/m).slice(1)
  const declarations = sections.flatMap((section) => {
    const [, declaration = ''] = /^\/\/ @public.*\n([\s\S]*?)(?:\n\n(?!\s)|$(?![\s\S]))/.exec(section) ?? []
    const [, symbol] =
      /^export (?:declare |abstract )*(?:const|function|class|interface|type) (\w+)/.exec(declaration) ?? []
    if (symbol === undefined) return []
    const signature = declaration.replace(/^\s*\/\/ \(undocumented\)\n/gm, '').trim()
    return [`## ${symbol}\n\n${describe(symbol, others)}\n\n\`\`\`ts\n${signature}\n\`\`\`\n`]
  })
  return `# ${name}\n\nEverything that you can import from \`${name}\`. This page is generated from [the API report](../api/${entry}.api.md), which every change is checked against.\n\n${declarations.join('\n')}`
}
