import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { createTransport } from 'nodemailer'
import { expect, it } from 'vitest'
import { type Sandbox, startSandbox } from '../sandbox.js'
import { assertNotSent, assertSent } from './assert-sent.js'

async function send({ port, token: user }: Sandbox, mail: object = {}): Promise<void> {
  const transport = createTransport({ host: '127.0.0.1', port, ignoreTLS: true, auth: { user, pass: user } })
  await transport.sendMail({ from: 'shop@x.org', to: 'ann@x.org', subject: 'Welcome', text: 'Hi', ...mail })
}

it('resolves with the email that was sent, there already or yet to come', async () => {
  await using sandbox = await startSandbox()
  const waiting = assertSent(sandbox, { subject: 'Late' }, { timeoutMs: 30_000 })
  await send(sandbox)
  await send(sandbox, { subject: 'Late' })
  expect((await waiting).subject).toBe('Late')
  await assertSent(sandbox, {}, { count: 2 })
  await assertNotSent(sandbox, { to: 'bob@x.org' })
})

it('throws an AssertionError with both sides, which says how the closest mail differs', async () => {
  await using sandbox = await startSandbox()
  await send(sandbox)
  const failed = assertSent(sandbox, { to: 'ann@x.org', subject: 'Hello' }, { timeoutMs: 0 })
  await expect(failed).rejects.toMatchObject({
    name: 'AssertionError',
    code: 'ERR_ASSERTION',
    expected: { to: 'ann@x.org', subject: 'Hello' },
    actual: { to: 'ann@x.org', subject: 'Welcome' },
    message: expect.stringMatching(/closest of 1 is to ann@x\.org, subject 'Welcome':[\s\S]*Hello/),
  })
  await expect(assertNotSent(sandbox, { subject: /Wel/ })).rejects.toThrow(
    'No email was expected to match, but 1 did',
  )
})

it('refuses what is no sandbox and a key that is none', async () => {
  await using sandbox = await startSandbox()
  await expect(assertSent(undefined as unknown as Sandbox)).rejects.toThrow('assertSent() takes a sandbox')
  await expect(assertSent(sandbox, { tags: 'x' } as object)).rejects.toThrow('Unknown option "tags"')
})

it('fails a test of the test runner of Node with the difference', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'assert-sent-'))
  const file = join(folder, 'mail.test.mjs')
  await writeFile(
    file,
    `import { test } from 'node:test'
import { assertSent, startSandbox } from '${new URL('../../dist/index.js', import.meta.url)}'
test('sends', async () => {
  const sandbox = await startSandbox()
  try {
    await assertSent(sandbox, { subject: 'Hello' }, { timeoutMs: 0 })
  } finally {
    await sandbox.close()
  }
})
`,
  )
  try {
    const { NODE_TEST_CONTEXT: _, ...env } = process.env
    const run = promisify(execFile)(process.execPath, ['--test', '--test-reporter=spec', file], {
      env,
    })
    await expect(run).rejects.toMatchObject({
      code: 1,
      stdout: expect.stringMatching(
        /No email was sent within 0 ms\. Nothing arrived at all[\s\S]*subject: 'Hello'/,
      ),
    })
  } finally {
    await rm(folder, { recursive: true })
  }
})
