import type { SandboxMail } from './sandbox-mail.js'

const STREAM_NOT_FOUND = 1235

/**
 * The stream that an email names, as people read it.
 * @example 'nowhere (does not exist)'
 */
export function toStreamLabel({ stream, verdict }: Pick<SandboxMail, 'stream' | 'verdict'>): string {
  const missing = verdict.problems.some(({ errorCode }) => errorCode === STREAM_NOT_FOUND)
  return missing ? `${stream} (does not exist)` : stream
}
