#!/usr/bin/env node
import { createRequire } from 'node:module'
import { runCli } from './cli/run-cli.js'

const { stdout, stderr } = process
const { version } = createRequire(import.meta.url)('../package.json') as { version: string }
const ending = new AbortController()

/** The first Ctrl-C ends cleanly; the second meets no listener, so it ends the process at once. */
function end(): void {
  process.off('SIGINT', end).off('SIGTERM', end)
  ending.abort()
}
process.on('SIGINT', end).on('SIGTERM', end)
// Who reads has gone, as with `| head`.
stdout.on('error', end)

process.exitCode = await runCli(process.argv.slice(2), { stdout, stderr, signal: ending.signal, version })
