import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

/** A program to measure with. */
export interface Node {
  readonly name: string
  readonly path: string
}

export const thisNode: Node = {
  name: `Node ${process.versions.node.split('.')[0]}`,
  path: process.execPath,
}

/** Node 24 as npm has it, kept in npm's cache; undefined where it cannot be had. */
export async function findNode24(): Promise<Node | undefined> {
  if (thisNode.name === 'Node 24') return thisNode
  const build = `node-${process.platform}-${process.arch}@24`
  const program = ['--yes', `--package=${build}`, '--', 'node', '-p', 'process.execPath']
  try {
    const { stdout } = await promisify(execFile)('npm', ['exec', ...program])
    return { name: 'Node 24', path: stdout.trim() }
  } catch {
    process.stdout.write(`\nWithout Node 24: npm does not get ${build}\n`)
    return undefined
  }
}
