import { readFile, realpath } from 'node:fs/promises'
import { dirname, join } from 'node:path'

/** A package that is installed. */
export interface InstalledPackage {
  /** Its real path: links are followed, as Node does. */
  readonly folder: string
  readonly version: string
}

/** The package that code in a folder loads by a name, from its own node_modules or that of a parent folder. */
export async function findPackage(from: string, name: string): Promise<InstalledPackage | undefined> {
  const start = await realpath(from).catch(() => from)
  for (let at = start; ; at = dirname(at)) {
    const folder = await realpath(join(at, 'node_modules', name)).catch(() => undefined)
    if (folder !== undefined) return { folder, version: await readVersion(folder) }
    if (dirname(at) === at) return undefined
  }
}

async function readVersion(folder: string): Promise<string> {
  try {
    const { version } = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')) as {
      version?: unknown
    }
    return typeof version === 'string' ? version : 'unknown'
  } catch {
    return 'unknown'
  }
}
