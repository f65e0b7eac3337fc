import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { toChart } from './chart.js'
import { withFigures } from './document.js'
import { judge } from './goal.js'
import { multipart, oneLine, sizeOf } from './messages.js'
import type { Results } from './section.js'

const docs = new URL('../../../docs/', import.meta.url)
const read = (file: string) => readFileSync(new URL(file, docs), 'utf8')
const results: Results = JSON.parse(read('performance.json'))

it('docs/performance.md and its chart show what docs/performance.json holds: npm run bench -- --docs', () => {
  expect(withFigures(read('performance.md'), results)).toBe(read('performance.md'))
  expect(toChart(results)).toBe(read('performance.svg'))
})

it('has an email of one line and one of about 2.8 kB', async () => {
  expect(await sizeOf(oneLine)).toBeLessThan(500)
  expect(Math.abs((await sizeOf(multipart)) - 2800)).toBeLessThan(100)
})

it('says of each goal whether it was met', () => {
  expect(judge({ of: 'rate', is: 'at least', limit: 1.2 }, 1.2)).toBe('rate ≥ 1.20: met')
  expect(judge({ of: 'CPU', is: 'at most', limit: 0.9 }, 0.91)).toBe('CPU ≤ 0.90: missed')
})

it('draws one bar for each row but the alternative, as long as its ratio, and lets no text be taken for a tag', () => {
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
          ['plain again', 1.1],
        ],
        charts: [{ column: 1, better: 'higher' }],
      },
    ],
  })
  expect(svg).toContain('A &lt;machine> &amp; more')
  const widths = [...svg.matchAll(/<rect class="\w+" [^>]*width="([\d.]+)"/g)].map(([, width]) =>
    Number(width),
  )
  expect(widths).toHaveLength(2)
  expect(widths[0]! / widths[1]!).toBeCloseTo(0.5 / 1.1, 2)
})
