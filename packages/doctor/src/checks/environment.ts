import { readdir, readFile, realpath } from 'node:fs/promises'
import { join } from 'node:path'
import { type Check, defineCheck } from '../check.js'
import { LINKS } from './links.js'

const CORE = '@postmark-smtp/core'

/** Node, and the packages of the application. */
export const environment: Check = defineCheck({
  id: 'environment',
  title: 'Node and packages',
  after: [],
  kinds: {
    'node-old': {
      level: 'fault',
      what: 'Node is older than 20.19.',
      cause: 'These packages are ES modules, which require() loads from 20.19 on.',
      cure: 'Install Node 20.19, 22, 24 or later.',
      link: LINKS.node,
      untested:
        'The tests run on one version of Node; the comparison of versions is tested with nodemailer-old.',
    },
    'nodemailer-old': {
      level: 'fault',
      what: 'The application’s Nodemailer is not one of the majors 7 to 10.',
      cause: 'An older one was installed by another package, or a newer one came out.',
      cure: 'Install Nodemailer 10: npm install nodemailer@10.',
      link: LINKS.nodemailer,
    },
    'core-twice': {
      level: 'warning',
      what: 'The application has two copies of @postmark-smtp/core in different versions.',
      cause: 'Packages of this project were installed in different versions.',
      cure: 'Install one version of all of them, then npm dedupe.',
      link: LINKS.node,
    },
  },
  async run({ options: { folder } }, report) {
    const { version } = process
    if (compareVersions(version.slice(1), '20.19.0') < 0) report.found('node-old', `Node ${version}`)
    if (folder === undefined) {
      report.fine(`Node ${version}; no folder of an application is given`)
      return
    }
    const copies = await findPackages(join(folder, 'node_modules'), ['nodemailer', CORE])
    const nodemailer = copies.get(join(folder, 'node_modules', 'nodemailer'))
    if (nodemailer !== undefined && !/^([789]|10)\./.test(nodemailer))
      report.found('nodemailer-old', `Nodemailer ${nodemailer}`)
    const cores = [...copies].filter(([path]) => path.endsWith(join('@postmark-smtp', 'core')))
    const versions = [...new Set(cores.map(([, each]) => each))]
    if (versions.length > 1) report.found('core-twice', `${CORE} ${versions.join(' and ')}`)
    report.fine(
      `Node ${version}, Nodemailer ${nodemailer ?? 'none'}, ${CORE} ${versions.join(', ') || 'none'}`,
    )
  },
})

/** Whether a version is before another one. */
function compareVersions(a: string, b: string): number {
  const [left, right] = [a, b].map((text) => text.split('.').map((part) => Number.parseInt(part, 10)))
  const index = [0, 1, 2].find((each) => left![each] !== right![each])
  return index === undefined ? 0 : left![index]! - right![index]!
}

/** The versions of packages by their folder, nested ones included; links are followed once. */
async function findPackages(
  root: string,
  names: readonly string[],
  seen: Set<string> = new Set(),
): Promise<Map<string, string>> {
  const found = new Map<string, string>()
  const real = await realpath(root).catch(() => undefined)
  if (real === undefined || seen.has(real)) return found
  seen.add(real)
  for (const entry of await readdir(root)) {
    if (entry.startsWith('.')) continue
    const inner = entry.startsWith('@') ? await readdir(join(root, entry)).catch(() => []) : [undefined]
    for (const part of inner) {
      const name = part === undefined ? entry : `${entry}/${part}`
      const path = join(root, name)
      if (names.includes(name)) {
        const text = await readFile(join(path, 'package.json'), 'utf8').catch(() => '{}')
        found.set(path, String((JSON.parse(text) as { version?: string }).version))
      }
      for (const [nested, each] of await findPackages(join(path, 'node_modules'), names, seen))
        found.set(nested, each)
    }
  }
  return found
}
