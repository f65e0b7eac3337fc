import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

/** A program to measure with. */
export interface Node {
  readonly name: string
  readonly path: string
}

/** The Node that runs this. */
export const thisNode: Node = { name: nameOf(process.versions.node), path: process.execPath }

/** @example nameOf('24.21.0') // 'Node 24.21' */
function nameOf(version: string): string {
  return `Node ${version.split('.', 2).join('.')}`
}

/** Node 24 from npm, kept in npm's cache; undefined if npm cannot install it. */
export async function findNode24(): Promise<Node | undefined> {
  if (process.versions.node.startsWith('24.')) return thisNode
  const build = `node-${process.platform}-${process.arch}@24`
  const script = 'JSON.stringify([process.versions.node, process.execPath])'
  try {
    const { stdout } = await promisify(execFile)('npm', [
      'exec',
      '--yes',
      `--package=${build}`,
      '--',
      'node',
      '-p',
      script,
    ])
    const [version, path] = JSON.parse(stdout) as [string, string]
    return { name: nameOf(version), path }
  } catch {
    process.stdout.write(`\nNode 24 is skipped: npm could not install ${build}\n`)
    return undefined
  }
}
