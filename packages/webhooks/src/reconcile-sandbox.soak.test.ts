import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createPostmarkTransport } from '@postmark-smtp/core'
import { type Sandbox, startSandbox } from '@postmark-smtp/sandbox'
import { size } from '@postmark-smtp/testing'
import { expect, it } from 'vitest'
import type { ReconcileCursor } from './index.js'

/** More on one stream than Postmark lists at once. */
const COUNTS = { outbound: size(10_400), broadcast: size(1_000), receipts: size(600) }
const STREAMS = Object.keys(COUNTS)
const ALL = size(12_000)

/** Sends emails that SMTP takes and Postmark refuses, each with a correlation ID of its own. */
async function sendRefused(sandbox: Sandbox): Promise<void> {
  const transporter = createPostmarkTransport({ url: sandbox.url, correlationId: true })
  for (const stream of STREAMS) sandbox.suppress('gone@example.com', { stream })
  const mails = Object.entries(COUNTS).flatMap(([messageStream, count]) =>
    Array.from({ length: count }, (_, n) => ({ messageStream, place: n / count })),
  )
  // The streams take turns.
  mails.sort((a, b) => a.place - b.place)
  const message = { from: 'shop@example.com', to: 'gone@example.com', subject: 'Hi', text: 'Hello' }
  while (mails.length > 0) {
    const some = mails.splice(0, 200)
    await Promise.all(
      some.map(({ messageStream }) => transporter.sendMail({ ...message, postmark: { messageStream } })),
    )
  }
  await transporter.close()
}

interface Line {
  readonly id: number
  readonly stream: string
  readonly at: string
  readonly errorCode: number
  readonly correlationId: string
  readonly cursor: ReconcileCursor
}

it('hands out 12,000 refused emails of three streams, each once, in order and correlated, across two kills', async () => {
  await using sandbox = await startSandbox({ streams: ['receipts'], keep: { mails: ALL } })
  await sendRefused(sandbox)
  const folder = mkdtempSync(join(tmpdir(), 'reconcile-'))
  const file = join(folder, 'handled.jsonl')
  writeFileSync(file, '')
  const read = (): Line[] => {
    const lines = readFileSync(file, 'utf8').split('\n').slice(0, -1)
    return lines.map((line) => JSON.parse(line))
  }
  const start = (most: number): ChildProcess => {
    const cursor = JSON.stringify(read().at(-1)?.cursor ?? {})
    const values = [sandbox.apiHost, sandbox.token, file, cursor, STREAMS.join(), String(most)]
    return fork(new URL('./reconcile-process.mjs', import.meta.url), values)
  }
  try {
    for (const share of [0.5, 0.51]) {
      const before = read().length
      const most = Math.ceil(ALL * share) - before
      const child = start(most)
      child.once('message', () => child.kill('SIGKILL'))
      expect(await once(child, 'exit')).toEqual([null, 'SIGKILL'])
      expect(read().length - before).toBe(most)
    }
    expect(await once(start(Number.POSITIVE_INFINITY), 'exit')).toEqual([0, null])

    const lines = read()
    expect(lines).toHaveLength(ALL)
    const bounces = sandbox.bounces.map(({ id, mail }) => ({
      ...{ id, stream: mail.stream, errorCode: 406 },
      correlationId: mail.postmark.metadata?.['correlation-id'],
    }))
    for (const name of STREAMS) {
      const handled = lines.filter(({ stream }) => stream === name).map(({ at, cursor, ...line }) => line)
      expect(handled).toEqual(bounces.filter(({ stream }) => stream === name))
    }
    const times = lines.map(({ at }) => at)
    expect(times).toEqual(times.toSorted())
  } finally {
    rmSync(folder, { recursive: true })
  }
})
