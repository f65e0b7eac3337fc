/** One table of the benchmark, as data. */
export interface Section {
  readonly title: string
  readonly headings: readonly string[]
  readonly rows: readonly (readonly (string | number)[])[]
  /** Undefined if nothing is compared with an alternative. */
  readonly charts?: readonly Chart[] | undefined
}

/** What a chart shows: the column with the ratio to the alternative, and which direction is better. */
export interface Chart {
  readonly column: number
  readonly better: 'lower' | 'higher'
}

/** The results of `npm run bench`, as written to a file. */
export interface Results {
  /** Processor, cores, and the compared versions. */
  readonly machine: string
  readonly seconds: number
  readonly sections: readonly Section[]
}

/** Formats a section as text, with numbers aligned to the right. */
export function toText({ title, headings, rows }: Section): string {
  const cells = rows.map((row) => row.map(toCell))
  const widths = headings.map((heading, column) =>
    Math.max(heading.length, ...cells.map((row) => row[column]!.length)),
  )
  const isNumber = (column: number) => rows.every((row) => typeof row[column] === 'number')
  const pad = (cell: string, column: number) =>
    isNumber(column) ? cell.padStart(widths[column]!) : cell.padEnd(widths[column]!)
  const toLine = (row: readonly string[]) => row.map(pad).join('  ').trimEnd()
  return [title, toLine(headings), ...cells.map(toLine)].join('\n')
}

/** Formats a section as a Markdown table. */
export function toMarkdown({ title, headings, rows }: Section): string {
  const toLine = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  const rule = headings.map((_, column) => (typeof rows[0]?.[column] === 'number' ? '--:' : '---'))
  const lines = [headings, rule, ...rows.map((row) => row.map(toCell))].map(toLine)
  return [`### ${title}`, '', ...lines].join('\n')
}

function toCell(value: string | number): string {
  if (typeof value === 'string') return value
  return Math.abs(value) < 10 ? value.toFixed(2) : Math.round(value).toString()
}
