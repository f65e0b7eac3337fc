#!/usr/bin/env node
import { spawn } from 'node:child_process'
import { createRequire } from 'node:module'
import { runCli } from './cli/run-cli.js'

const { stdout, stderr } = process
const { version } = createRequire(import.meta.url)('../package.json') as { version: string }
const ending = new AbortController()

/** The first Ctrl-C ends cleanly. The second meets no listener, so it ends the process immediately. */
function end(): void {
  process.off('SIGINT', end).off('SIGTERM', end)
  ending.abort()
}
process.on('SIGINT', end).on('SIGTERM', end)
// The reader has gone, as with `| head`.
stdout.on('error', end)

/** Opens a URL with the program of each system. If there is none, the URL is still in the terminal. */
function openPage(url: string): void {
  const [program, ...args] =
    process.platform === 'darwin'
      ? ['open']
      : process.platform === 'win32'
        ? ['cmd', '/c', 'start', '""']
        : ['xdg-open']
  spawn(program!, [...args, url], { stdio: 'ignore', detached: true })
    .once('error', () => stderr.write(`Cannot open a browser: ${program} failed.\n`))
    .unref()
}

process.exitCode = await runCli(process.argv.slice(2), {
  stdout,
  stderr,
  signal: ending.signal,
  version,
  // biome-ignore lint/style/noProcessEnv: this is the command line, and its flags may come from there
  environment: process.env,
  openPage,
})
