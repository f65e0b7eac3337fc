import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { createPostmarkTransport } from '@postmark-smtp/core'
import { CHROMIUM, chromiumMissing } from '@postmark-smtp/testing'
import { chromium } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Sandbox, startSandbox } from './sandbox.js'

/** The examples of the sandbox's documents that are not TypeScript, which docs/snippets.test.ts runs. */
const DOCUMENTS = ['sandbox.md', 'sandbox-team.md', 'sandbox-library.md']
const DOCUMENTED = 'http://127.0.0.1:8025'
const path = (name: string) => fileURLToPath(new URL(name, import.meta.url))
const blocks = DOCUMENTS.flatMap((document) => {
  const text = readFileSync(path(`../../../docs/${document}`), 'utf8')
  const found = text.matchAll(/^```(?!ts$|text$)(\w+)\n([\s\S]*?)^```$/gm)
  return [...found].map(([, language = '', code = '']) => ({ document, language, code }))
})
const isCommand = ({ language, code }: (typeof blocks)[number]) =>
  language === 'sh' && code.startsWith('npx @postmark-smtp/sandbox')
const one = (text: string) => {
  const found = blocks.filter(({ code }) => code.includes(text))
  expect(found).toHaveLength(1)
  return found[0]!.code
}
const commands = blocks.filter(isCommand)

let sandbox: Sandbox
let folder: string
beforeAll(async () => {
  sandbox = await startSandbox()
  folder = mkdtempSync(join(tmpdir(), 'sandbox-docs-'))
})
afterAll(async () => {
  await sandbox.close()
  rmSync(folder, { recursive: true })
})

async function send(message: object) {
  const transporter = createPostmarkTransport(sandbox.url)
  await transporter.sendMail({ from: 'shop@example.com', to: 'ann@example.com', text: 'Hi', ...message })
  await transporter.close()
}

const run = promisify(execFile)

it('there is a test below for each', () => {
  const others = blocks.filter((block) => !isCommand(block))
  expect(others.map(({ document, language }) => `${document} ${language}`)).toEqual([
    'sandbox-team.md yaml',
    'sandbox-team.md sh',
    'sandbox-team.md js',
    'sandbox-library.md js',
  ])
})

describe.skipIf(process.platform === 'win32')('the commands', () => {
  it.each(commands)('of $document start a sandbox: $code', async ({ code }) => {
    const npx = join(folder, 'npx')
    // On free ports; the package is this one.
    writeFileSync(
      npx,
      `#!/bin/sh\nshift\nexec '${process.execPath}' '${path('../dist/cli.js')}' "$@" -p 0 --http-port 0\n`,
    )
    chmodSync(npx, 0o755)
    writeFileSync(join(folder, 'password.txt'), 'open sesame\n')
    const env = { PATH: `${folder}:${process.env.PATH}` }
    const child = spawn('bash', ['-ec', `exec ${code.replaceAll('/shared/', `${folder}/`)}`], {
      cwd: folder,
      env,
    })
    let printed = ''
    for await (const chunk of child.stdout) {
      printed += chunk
      if (printed.includes('Ctrl-C')) break
    }
    child.kill('SIGTERM')
    if (child.exitCode === null) await once(child, 'exit')
    expect(printed).toMatch(/SMTP +\S+:\d+/)
    expect(child.exitCode).toBe(0)
    if (code.includes('--ca-out'))
      expect(readFileSync(join(folder, 'ca.pem'), 'utf8')).toContain('BEGIN CERTIFICATE')
  })
})

it('the part of the compose file is one', () => {
  expect(readFileSync(path('../docker/compose.yaml'), 'utf8')).toContain(one('services:'))
})

it('the calls with curl clear, wait for an email that comes later, and let one fail', async () => {
  await send({ subject: 'Old' })
  const code = one('curl --silent').replaceAll(DOCUMENTED, sandbox.apiUrl)
  const stop = sandbox.on('removed', () => {
    stop()
    void send({ subject: 'Welcome', postmark: { tag: 'welcome' } })
  })
  const { stdout } = await run('bash', ['-ec', code])
  expect(stdout).toMatch(/^\{"Removed":1\}\{.*"Subject":"Welcome".*\}\{\}$/s)
  const transporter = createPostmarkTransport(sandbox.url)
  await expect(
    transporter.sendMail({ from: 'shop@example.com', to: 'ann@example.com', text: 'Hi' }),
  ).rejects.toMatchObject({ outcome: 'unknown' })
  await transporter.close()
})

const missing = chromiumMissing()
const withoutChromium = missing !== undefined && process.env.REQUIRE_REAL_PARTS !== '1'
if (withoutChromium) console.warn(`Skipped: ${missing}`)
it.skipIf(withoutChromium)('the test with Playwright follows the link of an email', async () => {
  const application = createServer((_request, response) => response.end('Confirmed'))
  await once(application.listen(0, '127.0.0.1'), 'listening')
  const link = `http://127.0.0.1:${(application.address() as AddressInfo).port}/confirm/42`
  await send({ subject: 'Confirm your address', text: `Follow ${link}` })
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] })
  try {
    const page = await browser.newPage()
    const code = one('page.request').replaceAll(DOCUMENTED, sandbox.apiUrl)
    const AsyncFunction = (async () => {}).constructor as new (
      ...text: string[]
    ) => (page: object) => Promise<void>
    await new AsyncFunction('page', code)(page)
    expect(page.url()).toBe(link)
    expect(await page.textContent('body')).toBe('Confirmed')
  } finally {
    await browser.close()
    application.close()
  }
})

it("the program with Postmark's own client runs, and its comments are right", async () => {
  const code = one('new ServerClient')
  // Beside the package, so that its imports are found.
  const file = path('../docs-example.mjs')
  const checks = code.replace(/^(\S.*) \/\/ (\[.*\])$/gm, 'assert.deepEqual($1, $2)')
  expect(checks.match(/assert\.deepEqual/g)).toHaveLength(2)
  writeFileSync(file, `import assert from 'node:assert/strict'\n${checks}`)
  try {
    await run(process.execPath, [file])
  } finally {
    rmSync(file)
  }
})
