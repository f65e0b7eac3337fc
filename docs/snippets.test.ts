import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { basename } from 'node:path'
import { fileURLToPath } from 'node:url'
import { format } from 'node:util'
import { startSandbox } from '@postmark-smtp/sandbox'
import { type Redis, redisMissing, startRedis } from '@postmark-smtp/testing'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'

/** Every TypeScript block of the documents is compiled, and run against a sandbox; a text after one that prints is its output. */
const root = new URL('../', import.meta.url)
const folder = new URL('docs/.snippets/', root)

const documents = [
  'README.md',
  ...readdirSync(new URL('packages/', root)).map((name) => `packages/${name}/README.md`),
  ...readdirSync(new URL('docs/', root))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
]
const snippets = documents.flatMap((document) => {
  const blocks = readFileSync(new URL(document, root), 'utf8').matchAll(
    /^```ts\n([\s\S]*?)^```$(?:\n\n```text\n([\s\S]*?)^```$)?/gm,
  )
  return [...blocks].map(([, code = '', output], index) => {
    const name = `${document.replace(/\W/g, '-')}-${index + 1}`
    return { title: `${document} #${index + 1}`, file: new URL(`${name}.ts`, folder), code, output }
  })
})

const missing = redisMissing()
const withoutRedis = missing !== undefined && process.env.REQUIRE_REAL_PARTS !== '1'
if (withoutRedis) console.warn(`Skipped: ${missing}`)

let sandbox: Awaited<ReturnType<typeof startSandbox>>
let redis: Redis | undefined
beforeAll(async () => {
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  for (const { file, code } of snippets) writeFileSync(file, `${code}\nexport {}\n`)
  writeFileSync(
    new URL('tsconfig.json', folder),
    JSON.stringify({
      extends: '../../tsconfig.base.json',
      compilerOptions: {
        noEmit: true,
        noUnusedLocals: false,
        skipLibCheck: true,
        experimentalDecorators: true,
      },
      include: ['*.ts'],
    }),
  )
  sandbox = await startSandbox()
  const { host, port, token, url } = sandbox
  vi.stubEnv('POSTMARK_URL', url)
  vi.stubEnv('SMTP_URL', `smtp://${token}:${token}@${host}:${port}?ignoreTLS=true`)
  vi.stubEnv('POSTMARK_SERVER_TOKEN', token)
  vi.stubEnv('RECEIPTS_SECRET', 's3cr3t')
  vi.stubEnv('WEBHOOK_PASSWORD', 'webhook-5e7a9c1b')
  if (withoutRedis) return
  redis = await startRedis()
  vi.stubEnv('REDIS_URL', redis.path)
})
afterAll(async () => {
  vi.unstubAllEnvs()
  await redis?.close()
  await sandbox.close()
  rmSync(folder, { recursive: true, force: true })
})

describe('the snippets of the documents', () => {
  it('are there', () => {
    expect(snippets.map(({ title }) => title)).toEqual(
      expect.arrayContaining(['README.md #1', 'packages/nodemailer/README.md #1']),
    )
  })

  it('compile', () => {
    const tsc = fileURLToPath(new URL('node_modules/.bin/tsc', root))
    const run = () => execFileSync(tsc, ['-p', fileURLToPath(folder)], { encoding: 'utf8' })
    expect(run).not.toThrow()
  })

  it.each(snippets)(
    '$title runs, and sends the headers that its comments name',
    async ({ file, code, output }) => {
      if (withoutRedis && code.includes('REDIS_URL')) return
      sandbox.clear()
      const printed = vi.spyOn(console, 'log').mockImplementation(() => {})
      await import(/* @vite-ignore */ file.pathname)
      const lines = printed.mock.calls.map((args) => `${format(...args)}\n`)
      printed.mockRestore()
      if (output !== undefined && code.includes('console.log')) expect(lines.join('')).toBe(output)
      const named = [...code.matchAll(/^\/\/ (x-pm-.*)$/gim)].map(([, line]) => line)
      const sent = sandbox.outbox.flatMap((mail) => mail.headers.map(({ key, value }) => `${key}: ${value}`))
      expect(sent, basename(file.pathname)).toEqual(expect.arrayContaining(named))
    },
  )
})
