import { existsSync } from 'node:fs'

/** The path of the browser in Debian's package. */
export const CHROMIUM = '/usr/bin/chromium'

/**
 * The reason why Chromium cannot be started here; undefined if it can.
 * @example 'Tests in a browser need a Debian package: apt-get install chromium'
 */
export function chromiumMissing(): string | undefined {
  return existsSync(CHROMIUM)
    ? undefined
    : 'Tests in a browser need a Debian package: apt-get install chromium'
}
