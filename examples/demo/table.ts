/** Formats rows under their headings, with each column as wide as its content. */
export function toTable(headings: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const widths = headings.map((heading, column) =>
    Math.max(heading.length, ...rows.map((row) => row[column]?.length ?? 0)),
  )
  const toLine = (cells: readonly string[]) =>
    cells
      .map((cell, column) => cell.padEnd(widths[column]!))
      .join('  ')
      .trimEnd()
  return [toLine(headings), toLine(widths.map((width) => '-'.repeat(width))), ...rows.map(toLine)]
}
