/** Runs main.mjs and main.cjs on the Node that runs this and on those of package.json, which are builds for Linux. */
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { promisify } from 'node:util'

const run = promisify(execFile)
const builds = ['node22', 'node24'].map((name) => `node_modules/${name}/bin/node`)
const missing = builds.filter((path) => !existsSync(path))
if (missing.length > 0 && process.env.REQUIRE_REAL_PARTS === '1') throw new Error(`Missing: ${missing}`)

// Not process.execPath: the builds bring a command `node`, which npm prefers in a script.
const nodes = [process.env.npm_node_execpath, ...builds.filter((path) => existsSync(path))]
const failures = []
for (const node of nodes) {
  for (const main of ['main.mjs', 'main.cjs']) {
    await run(node, [main], { timeout: 60_000 }).then(
      ({ stdout }) => console.log(`${main}: ${stdout.trim()}`),
      (error) => failures.push(`${node} ${main}: ${error.stderr || error}`),
    )
  }
}
if (failures.length > 0) throw new Error(failures.join('\n'))
