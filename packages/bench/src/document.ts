import { type Results, toMarkdown } from './section.js'

const START = /<!-- figures.*?-->\n/
const END = '<!-- /figures -->'

/** Returns docs/performance.md with the figures of a run between its two markers. */
export function withFigures(document: string, { machine, seconds, sections }: Results): string {
  const start = START.exec(document)
  const end = document.indexOf(END)
  if (!start || end < start.index) throw new Error('The document has no markers for the figures')
  const shown = `${machine}. The run took ${seconds} s.\n\n${sections.map(toMarkdown).join('\n\n')}\n`
  return document.slice(0, start.index) + start[0] + shown + document.slice(end)
}
