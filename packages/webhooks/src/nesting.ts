/** Whether a JSON text nests deeper than `maxDepth`, found without building the value. */
export function textNestsDeeper(text: string, maxDepth: number): boolean {
  const marks = /["[\]{}]/g
  let depth = 0
  for (let mark = marks.exec(text); mark; mark = marks.exec(text)) {
    if (mark[0] === '"') {
      const end = endOfString(text, marks.lastIndex)
      if (end === -1) return false
      marks.lastIndex = end + 1
    } else if (mark[0] === '[' || mark[0] === '{') {
      depth += 1
      if (depth > maxDepth) return true
    } else depth -= 1
  }
  return false
}

/** The end of the string that begins here; -1 if it has none. */
function endOfString(text: string, start: number): number {
  let end = text.indexOf('"', start)
  while (end !== -1) {
    let escapes = end
    while (text[escapes - 1] === '\\' && escapes > start) escapes -= 1
    if ((end - escapes) % 2 === 0) return end
    end = text.indexOf('"', end + 1)
  }
  return -1
}

/** The same for a value that has already been parsed. */
export function valueNestsDeeper(value: unknown, maxDepth: number): boolean {
  if (typeof value !== 'object' || value === null) return false
  if (maxDepth === 0) return true
  return Object.values(value).some((item) => valueNestsDeeper(item, maxDepth - 1))
}
