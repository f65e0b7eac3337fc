import { isClaimed } from '@postmark-smtp/core/internal'
import { type Check, defineCheck } from '../check.js'
import { findPackage, type InstalledPackage } from './find-package.js'
import { LINKS } from './links.js'

const CORE = '@postmark-smtp/core'

/** The packages that bring a copy of core with them. */
const DEPENDENTS = [
  ...['nodemailer', 'express', 'fastify', 'hono', 'nestjs', 'webhooks'],
  ...['redis', 'bullmq', 'opentelemetry', 'sandbox'],
]

/** Node, and the packages of the application. */
export const environment: Check = defineCheck({
  id: 'environment',
  title: 'Node and packages',
  after: [],
  kinds: {
    'node-old': {
      level: 'fault',
      what: 'Node is older than 20.19, or between 21.0 and 22.11.',
      cause: 'These packages are ES modules. require() loads ES modules only in Node 20.19, 22.12 and later.',
      cure: 'Install Node 20.19, 22.12, 24 or later.',
      link: LINKS.node,
    },
    'nodemailer-old': {
      level: 'fault',
      what: 'The major version of the application’s Nodemailer is not one of 7 to 10.',
      cause: 'Another package installed an older version, or a newer one was released.',
      cure: 'Install Nodemailer 10: npm install nodemailer@10.',
      link: LINKS.nodemailer,
    },
    'core-twice': {
      level: 'warning',
      what: 'The application has two copies of @postmark-smtp/core in different versions.',
      cause: 'The packages of this project were installed in different versions.',
      cure: 'Install the same version of all of them, then run npm dedupe.',
      link: LINKS.node,
    },
    'plugin-missing': {
      level: 'fault',
      what: 'The transporter lacks this project’s plugin, so it sends no Postmark headers from the context or from `postmark`.',
      cause: 'attachPostmark was called with another transporter or not at all.',
      cure: 'Call attachPostmark(transporter) once, or create the transporter with createPostmarkTransport.',
      link: LINKS.nodemailer,
    },
    'plugin-not-last': {
      level: 'warning',
      what: 'Another compile plugin runs after this project’s. What it writes is not checked, and it may change the headers.',
      cause:
        'The plugin was put directly into the transporter’s list instead of added with transporter.use().',
      cure: 'Add plugins with transporter.use(), which keeps this project’s last.',
      link: LINKS.nodemailer,
    },
  },
  async run({ options: { folder, transporter } }, report) {
    const { version } = process
    if (!loadsModules(version)) report.found('node-old', `Node ${version} is not supported`)
    if (transporter !== undefined) lookAtPlugins(transporter as Mailer, report)
    if (folder === undefined) {
      report.fine(`Node ${version}; no application folder is given`)
      return
    }
    const nodemailer = await findPackage(folder, 'nodemailer')
    if (nodemailer && !/^([789]|10)\./.test(nodemailer.version))
      report.found('nodemailer-old', `Nodemailer ${nodemailer.version} is not supported`)
    const cores = await findCores(folder)
    const versions = [...new Set(cores.map((core) => core.version))]
    if (versions.length > 1) report.found('core-twice', `${CORE} is installed as ${versions.join(' and ')}`)
    const copies = cores.length > 1 ? ` in ${cores.length} copies` : ''
    report.fine(
      `Node ${version}, Nodemailer ${nodemailer?.version ?? 'not found'}, ${CORE} ${versions.join(', ') || 'not found'}${copies}`,
    )
  },
})

/** What is read of a Nodemailer transporter: the list is private, in the majors 7 to 10. */
interface Mailer {
  readonly _userPlugins?: { readonly compile?: unknown }
}

function lookAtPlugins(
  transporter: Mailer,
  report: { fine(text: string): void; found(kind: 'plugin-missing' | 'plugin-not-last', text: string): void },
): void {
  const { compile } = transporter._userPlugins ?? {}
  const plugins = Array.isArray(compile) ? compile.map((plugin) => isClaimed(Object(plugin))) : []
  const after = plugins.length - 1 - plugins.lastIndexOf(true)
  if (!isClaimed(transporter))
    report.found(
      'plugin-missing',
      `the transporter lacks this project’s plugin (compile plugins: ${plugins.length})`,
    )
  else if (plugins.includes(true) && after > 0)
    report.found('plugin-not-last', `compile plugins that run after this project’s: ${after}`)
  else report.fine('the transporter runs this project’s plugin last')
}

/** The copies of core that the application and its packages load. */
async function findCores(folder: string): Promise<InstalledPackage[]> {
  const dependents = await Promise.all(
    DEPENDENTS.map((name) => findPackage(folder, `@postmark-smtp/${name}`)),
  )
  const folders = [folder, ...dependents.flatMap((each) => (each ? [each.folder] : []))]
  const found = await Promise.all(folders.map((each) => findPackage(each, CORE)))
  const copies = new Map(found.flatMap((each) => (each ? [[each.folder, each] as const] : [])))
  return [...copies.values()]
}

/**
 * Whether `require()` of this Node loads an ES module: `engines` of each package, `^20.19.0 || >=22.12.0`.
 * @example loadsModules('v22.11.0') // false
 */
export function loadsModules(version: string): boolean {
  const [major = 0, minor = 0] = version
    .replace(/^v/, '')
    .split('.')
    .map((part) => Number.parseInt(part, 10))
  if (major === 20) return minor >= 19
  return major > 22 || (major === 22 && minor >= 12)
}
