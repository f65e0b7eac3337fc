import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { chmod, mkdtemp, readdir, readFile, rename, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)
// biome-ignore lint/suspicious/noTemplateCurlyInString: dpkg's own.
const FORMAT = '-f=${Package} ${db:Status-Status}\n'

/**
 * Unpacks a Debian package, its missing libraries and other packages into a folder that later calls reuse. The package
 * does not need to be installed, and may conflict with installed packages. @returns the folder
 * @throws Error if apt is missing or cannot download them
 */
export async function unpackDebian(name: string, others: readonly string[] = []): Promise<string> {
  const release = (await readFile('/etc/debian_version', 'utf8')).trim().replaceAll('/', '-')
  const folder = join(tmpdir(), `postmark-smtp-${name}-${release}-${process.arch}`)
  if (existsSync(folder)) return folder
  const making = await mkdtemp(join(tmpdir(), 'unpacking-'))
  try {
    const names = [name, ...others, ...(await missingLibraries(name))]
    await run('apt-get', ['download', '-o', 'APT::Sandbox::User=root', ...names], { cwd: making })
    for (const file of await readdir(making))
      await run('dpkg', ['-x', join(making, file), join(making, 'root')])
    await chmod(making, 0o755)
    // Another process may have created it first.
    await rename(join(making, 'root'), folder).catch(() => {})
  } finally {
    await rm(making, { recursive: true, force: true })
  }
  return folder
}

/** The libraries that a package needs, directly or indirectly, and that are not installed. */
async function missingLibraries(name: string): Promise<readonly string[]> {
  const libraries = new Set<string>()
  for (let asked = [name]; asked.length > 0; ) {
    const { stdout } = await run('apt-cache', ['depends', ...asked])
    const needed = [...stdout.matchAll(/^ +Depends: (lib[\w.+-]+)$/gm)].flatMap(([, library = '']) => library)
    asked = [...new Set(needed)].filter((library) => !libraries.has(library))
    for (const library of asked) libraries.add(library)
  }
  // It fails if some are unknown, but lists the others.
  const listed = await run('dpkg-query', ['-W', FORMAT, ...libraries]).catch(
    (error: { stdout: string }) => error,
  )
  const installed = new Set([...listed.stdout.matchAll(/^(\S+) installed$/gm)].map(([, library]) => library))
  return [...libraries].filter((library) => !installed.has(library))
}
