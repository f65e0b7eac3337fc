import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { toChart } from './chart.js'
import { type Results, toMarkdown } from './section.js'

const docs = new URL('../../../docs/', import.meta.url)
const read = (file: string) => readFileSync(new URL(file, docs), 'utf8')
const results: Results = JSON.parse(read('performance.json'))

/** After `npm run bench -- --docs`: `npx vitest run packages/bench -u`. */
it('docs/performance.md and its chart show what docs/performance.json holds', async () => {
  const tables = results.sections.map(toMarkdown).join('\n\n')
  const shown = `${results.machine}. The run took ${results.seconds} s.\n\n${tables}`
  const made = read('performance.md').replace(
    /(<!-- figures[^>]*-->\n)[\s\S]*(\n<!-- \/figures -->)/,
    (_all, before: string, after: string) => `${before}${shown}${after}`,
  )
  await expect(made).toMatchFileSnapshot(new URL('performance.md', docs).pathname)
  await expect(toChart(results)).toMatchFileSnapshot(new URL('performance.svg', docs).pathname)
})

it('draws one bar a row, as long as its ratio, and lets no text be taken for a tag', () => {
  const svg = toChart({
    machine: 'A <machine> & more',
    seconds: 1,
    sections: [
      {
        title: 'Rate',
        headings: ['sent by', 'ratio'],
        rows: [
          ['plain', 1],
          ['ours', 0.5],
        ],
        chart: { column: 1, better: 'higher' },
      },
    ],
  })
  expect(svg).toContain('A &lt;machine> &amp; more')
  const widths = [...svg.matchAll(/<rect class="\w+" [^>]*width="([\d.]+)"/g)].map(([, width]) =>
    Number(width),
  )
  expect(widths).toHaveLength(2)
  expect(widths[1]! / widths[0]!).toBeCloseTo(0.5, 2)
})
