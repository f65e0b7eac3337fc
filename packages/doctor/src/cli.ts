#!/usr/bin/env node
import { createRequire } from 'node:module'
import { reportCrash } from './cli/crash.js'
import { runCli } from './cli/run-cli.js'

const { stdout, stderr, stdin, env } = process
const args = process.argv.slice(2)
const { version } = createRequire(import.meta.url)('../package.json') as { version: string }
// The reader has gone, as with `| head`.
stdout.on('error', () => process.exit(2))
// Node would print the stack, with whatever the error quotes.
process.on('uncaughtException', (error) => process.exit(reportCrash(error, args, { stdout, stderr })))

const code = await runCli(args, { stdout, stderr, stdin, env, folder: process.cwd(), version })
// A pending lookup would keep the process alive long after the report. Everything is written before it exits.
stdout.write('', () => process.exit(code))
