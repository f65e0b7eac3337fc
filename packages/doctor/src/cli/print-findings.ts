import type { Finding } from '../finding.js'
import { type Paint, toLines } from './finding-lines.js'
import type { Output } from './output.js'

/** Prints findings as they come. @returns the exit code */
export async function printFindings(
  findings: AsyncIterable<Finding>,
  json: boolean,
  stdout: Output,
): Promise<number> {
  const coloured = stdout.hasColors?.() ?? false
  const paint: Paint = (code, text) => (coloured ? `\u001b[${code}m${text}\u001b[0m` : text)
  const counts = { fine: 0, warning: 0, fault: 0, skipped: 0 }
  let incomplete = false
  for await (const finding of findings) {
    counts[finding.level]++
    incomplete ||= finding.incomplete === true
    stdout.write(json ? `${JSON.stringify(finding)}\n` : toLines(finding, paint))
  }
  const { fault, warning } = counts
  const plural = (count: number, what: string) => `${count} ${what}${count === 1 ? '' : 's'}`
  const end = incomplete ? '; not everything could be examined' : ''
  if (!json) stdout.write(`\n${plural(fault, 'fault')}, ${plural(warning, 'warning')}${end}.\n`)
  if (fault > 0) return 1
  return incomplete ? 2 : 0
}
