import type { Chart, Results, Section } from './section.js'

const WIDTH = 900
const LABELS = 350
const ROW = 20
const TITLE = 44
const BARS = WIDTH - LABELS - 70

const STYLE = [
  'text{font:13px system-ui,sans-serif;fill:#1c1c1c}',
  '.title{font-weight:600}',
  '.note{fill:#5a5a5a;font-size:12px}',
  '.again{fill:#9a9a9a}',
  '.other{fill:#2f6fab}',
  '.one{stroke:#1c1c1c;stroke-dasharray:2 3}',
].join('')

/** Draws the ratios of all sections as bars. The dashed line is the alternative; the grey bar is its second result. */
export function toChart({ machine, sections }: Results): string {
  const groups: string[] = []
  let top = 34
  for (const section of sections) {
    for (const chart of section.charts ?? []) {
      const bars = toBars(section, chart)
      groups.push(toGroup(section, chart, bars, top))
      top += TITLE + bars.length * ROW
    }
  }
  const height = top + 12
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="Ratios to the alternative">`,
    `<style>${STYLE}</style>`,
    `<rect width="${WIDTH}" height="${height}" fill="#fff"/>`,
    `<text class="note" x="12" y="22">${toXml(machine)}</text>`,
    ...groups,
    '</svg>',
    '',
  ].join('\n')
}

interface Bar {
  readonly label: string
  readonly ratio: number
}

/** A bar for each row except the alternative, with which all others are compared. */
function toBars({ rows }: Section, { column }: Chart): Bar[] {
  const bars = rows.map((row) => ({
    label: row.slice(0, Math.max(1, row.findIndex(isNumber))).join(', '),
    ratio: Number(row[column]),
  }))
  return bars.filter(({ ratio }) => ratio !== 1)
}

function isNumber(cell: unknown): boolean {
  return typeof cell === 'number'
}

function toGroup({ title, headings }: Section, chart: Chart, bars: readonly Bar[], top: number): string {
  const scale = BARS / Math.max(1.25, ...bars.map(({ ratio }) => ratio))
  const shapes = bars.map(({ label, ratio }, index) => {
    const y = top + TITLE + index * ROW
    const end = LABELS + ratio * scale
    return [
      `<text x="${LABELS - 8}" y="${y}" text-anchor="end">${toXml(label)}</text>`,
      `<rect class="${label.endsWith(' again') ? 'again' : 'other'}" x="${LABELS}" y="${y - 12}" width="${(ratio * scale).toFixed(1)}" height="14"/>`,
      `<text x="${(end + 6).toFixed(1)}" y="${y}">${ratio.toFixed(2)}</text>`,
    ].join('')
  })
  const one = (LABELS + scale).toFixed(1)
  const last = top + TITLE + bars.length * ROW - 18
  const note = `${headings[chart.column]}, ${chart.better} is better`
  return [
    `<text class="title" x="12" y="${top + 18}">${toXml(title)} <tspan class="note">(${toXml(note)})</tspan></text>`,
    ...shapes,
    `<line class="one" x1="${one}" x2="${one}" y1="${top + TITLE - 14}" y2="${last}"/>`,
  ].join('\n')
}

function toXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;')
}
