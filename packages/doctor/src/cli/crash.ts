import { isPostmarkError } from '@postmark-smtp/core/pure'
import type { Finding } from '../finding.js'
import type { Output } from './output.js'

/**
 * Says that the command came to an end that it should not have. Only the errors that this project words itself are
 * quoted: a message or a stack of another one may hold a token.
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

/** The kind of an error, as far as it is one that Node has. */
function nameOf(error: unknown): string {
  const { name, code } = Object(error) as { name?: unknown; code?: unknown }
  const words = [name, code].filter((word) => typeof word === 'string' && /^[A-Z][A-Za-z_]{2,40}$/.test(word))
  return words.join(' ') || 'something that is no error was thrown'
}
