import { isPostmarkError } from '@postmark-smtp/core/pure'
import type { Finding } from '../finding.js'
import type { Output } from './output.js'

/**
 * Reports that the command failed unexpectedly. It quotes only errors of this project, because the message or stack of
 * any other error may hold a token.
 * @returns the exit code
 */
export function reportCrash(
  error: unknown,
  args: readonly string[],
  { stdout, stderr }: { readonly stdout: Output; readonly stderr: Output },
): number {
  const text = isPostmarkError(error) ? error.message : `The doctor failed: ${nameOf(error)}`
  const finding: Finding = { check: 'doctor', title: 'The doctor', level: 'skipped', text, incomplete: true }
  if (args.includes('--json')) stdout.write(`${JSON.stringify(finding)}\n`)
  stderr.write(`${text}\n`)
  return 2
}

/** The name and code of an error, if they look like those of Node. */
function nameOf(error: unknown): string {
  const { name, code } = Object(error) as { name?: unknown; code?: unknown }
  const words = [name, code].filter((word) => typeof word === 'string' && /^[A-Z][A-Za-z_]{2,40}$/.test(word))
  return words.join(' ') || 'unknown error'
}
