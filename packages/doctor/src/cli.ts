#!/usr/bin/env node
import { createRequire } from 'node:module'
import { runCli } from './cli/run-cli.js'

const { stdout, stderr, env } = process
const { version } = createRequire(import.meta.url)('../package.json') as { version: string }
// Who reads has gone, as with `| head`.
stdout.on('error', () => process.exit(2))

const code = await runCli(process.argv.slice(2), { stdout, stderr, env, folder: process.cwd(), version })
// A name that the system still looks up would keep the process alive long after the report; all is written before that.
stdout.write('', () => process.exit(code))
