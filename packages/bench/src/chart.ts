import type { Chart, Results, Section } from './section.js'

const WIDTH = 860
const LABELS = 300
const ROW = 20
const TITLE = 44
const BARS = WIDTH - LABELS - 70

const STYLE = [
  'text{font:13px system-ui,sans-serif;fill:#1c1c1c}',
  '.title{font-weight:600}',
  '.note{fill:#5a5a5a;font-size:12px}',
  '.first{fill:#9a9a9a}',
  '.other{fill:#2f6fab}',
  '.one{stroke:#1c1c1c;stroke-dasharray:2 3}',
].join('')

/** Draws the ratios of all sections as bars; the dashed line is the alternative, which is the first bar. */
export function toChart({ machine, sections }: Results): string {
  const groups: string[] = []
  let top = 34
  for (const section of sections) {
    if (!section.chart) continue
    groups.push(toGroup(section, section.chart, top))
    top += TITLE + section.rows.length * ROW
  }
  const height = top + 12
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="Ratios against the alternative">`,
    `<style>${STYLE}</style>`,
    `<rect width="${WIDTH}" height="${height}" fill="#fff"/>`,
    `<text class="note" x="12" y="22">${toXml(machine)}</text>`,
    ...groups,
    '</svg>',
    '',
  ].join('\n')
}

function toGroup({ title, rows }: Section, chart: Chart, top: number): string {
  const ratios = rows.map((row) => Number(row[chart.column]))
  const scale = BARS / Math.max(1.25, ...ratios)
  const bars = rows.map((row, index) => {
    const y = top + TITLE + index * ROW
    const label = row
      .slice(
        0,
        row.findIndex((cell) => typeof cell === 'number'),
      )
      .join(', ')
    const ratio = ratios[index]!
    const number = ratio.toFixed(2)
    return [
      `<text x="${LABELS - 8}" y="${y}" text-anchor="end">${toXml(label)}</text>`,
      `<rect class="${ratio === 1 ? 'first' : 'other'}" x="${LABELS}" y="${y - 12}" width="${(ratio * scale).toFixed(1)}" height="14"/>`,
      `<text x="${(LABELS + ratio * scale + 6).toFixed(1)}" y="${y}">${number}</text>`,
    ].join('')
  })
  const one = (LABELS + scale).toFixed(1)
  const first = top + TITLE - 14
  const last = top + TITLE + rows.length * ROW - 18
  return [
    `<text class="title" x="12" y="${top + 18}">${toXml(title)} <tspan class="note">(${chart.better} is better)</tspan></text>`,
    ...bars,
    `<line class="one" x1="${one}" x2="${one}" y1="${first}" y2="${last}"/>`,
  ].join('\n')
}

function toXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;')
}
