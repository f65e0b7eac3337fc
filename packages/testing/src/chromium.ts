import { existsSync } from 'node:fs'

/** Where Debian's package puts the browser. */
export const CHROMIUM = '/usr/bin/chromium'

/**
 * Why no Chromium can be started here; undefined where it can.
 * @example 'Tests in a browser need a Debian package: apt-get install chromium'
 */
export function chromiumMissing(): string | undefined {
  return existsSync(CHROMIUM)
    ? undefined
    : 'Tests in a browser need a Debian package: apt-get install chromium'
}
