import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'

const path = (name: string) => fileURLToPath(new URL(name, import.meta.url))
/** Debian's, since another one further ahead in the PATH may lack what Debian's has. */
const LANGUAGES = [
  ['Python', '/usr/bin/python3', 'sandbox_test.py', 'python3', /^Ran 12 tests in .*\n\nOK$/m],
  [
    'Ruby',
    '/usr/bin/ruby',
    'sandbox_test.rb',
    'ruby',
    /^8 runs, \d+ assertions, 0 failures, 0 errors, 0 skips$/m,
  ],
] as const

describe.each(LANGUAGES)('a test in %s', (_language, program, file, debianPackage, closing) => {
  const isMissing = !existsSync(program) && process.env.REQUIRE_REAL_PARTS !== '1'
  if (isMissing) console.warn(`Skipped: ${file} needs: apt-get install ${debianPackage}`)

  it.skipIf(isMissing)('uses the control API from end to end, over TLS with ca.pem', async () => {
    const env = { ...process.env, SANDBOX: `${process.execPath} ${path('../dist/cli.js')}` }
    const child = spawn(program, [path(`../other-languages/${file}`)], { env })
    const [printed, complaints, [code]] = await Promise.all([
      text(child.stdout),
      text(child.stderr),
      once(child, 'close'),
    ])
    expect(printed + complaints).toMatch(closing)
    expect(code).toBe(0)
  })
})
