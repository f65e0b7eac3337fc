import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)
const VERSION = '3.3.4'
/** Haraka needs a newer Node than these tests; npm has one. */
const NODE_PACKAGE = `node-${process.platform}-${process.arch}`
const NODE_MAJOR = '24'
const FOLDER = join(tmpdir(), `postmark-smtp-haraka-${VERSION}-${process.arch}`)

/** The installed files. */
export interface InstalledHaraka {
  readonly node: string
  readonly script: string
}

/** Whether {@link installHaraka} has nothing to do. */
export const isHarakaInstalled = (): boolean => existsSync(FOLDER)

/**
 * Installs Haraka, and a Node that can run it, from npm into a folder that later calls reuse.
 * @throws Error if npm cannot install them
 */
export async function installHaraka(): Promise<InstalledHaraka> {
  if (!isHarakaInstalled()) await install()
  return {
    node: join(FOLDER, 'node_modules', NODE_PACKAGE, 'bin/node'),
    script: join(FOLDER, 'node_modules/Haraka/bin/haraka'),
  }
}

async function install(): Promise<void> {
  const making = await mkdtemp(join(tmpdir(), 'installing-'))
  try {
    await writeFile(join(making, 'package.json'), '{ "private": true }')
    const packages = [`Haraka@${VERSION}`, `${NODE_PACKAGE}@${NODE_MAJOR}`]
    const options = ['--no-audit', '--no-fund', '--no-package-lock', '--omit=optional', '--ignore-scripts']
    await run('npm', ['install', ...options, ...packages], { cwd: making })
    // Another process may have created it first.
    await rename(making, FOLDER).catch(() => {})
  } finally {
    await rm(making, { recursive: true, force: true })
  }
}
