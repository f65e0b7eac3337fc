import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { CELLS, type Cell, LARGE_CELLS } from './matrix/fault-cells.js'
import { ATTEMPTS, FaultTrial, TOKEN } from './matrix/fault-trial.js'

const SECRETS = [TOKEN, btoa(TOKEN), btoa(`\0${TOKEN}\0${TOKEN}`)]
const SMALL_MAIL = { text: 'Hello' }
/** An email that does not fit between the two ends: most of it is not read yet when the fault strikes. */
const LARGE_MAIL = { attachments: [{ path: '' }] }

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fault-matrix-'))
  const path = join(folder, 'large.txt')
  await writeFile(path, Buffer.alloc(10_000_000))
  LARGE_MAIL.attachments = [{ path }]
})
afterAll(() => rm(folder, { recursive: true }))

describe.each(CELLS)('a fault at $name', (cell) => prove(cell, SMALL_MAIL))
describe.each(LARGE_CELLS)('a fault at $name of a large email', (cell) => prove(cell, LARGE_MAIL))

function prove({ fault, verdict }: Cell, mail: object): void {
  const { outcome, retried, copies, keeps, anchor } = verdict

  it(`is ${retried ? 'overcome by another attempt' : outcome} where it strikes once`, async () => {
    await using trial = await FaultTrial.start((connection, each) =>
      connection + each === 0 ? fault : undefined,
    )
    const told = await trial.send('One', mail)
    expect(told).toMatchObject(retried ? { outcome: 'sent', attempts: 2 } : { outcome, attempts: 1, anchor })
    // The next one goes through, whatever became of the first.
    expect(await trial.send('Two')).toMatchObject({ outcome: 'sent' })
    expect([trial.copies('One'), trial.copies('Two')]).toEqual([retried ? 1 : copies, 1])
    expect([trial.struck, trial.server.connections.length]).toEqual([1, keeps ? 1 : 2])
  })

  it(`is reported as ${outcome} where it strikes each time`, async () => {
    await using trial = await FaultTrial.start(() => fault)
    const { words, ...told } = await trial.send('One', mail)
    const attempts = retried ? ATTEMPTS : 1
    expect(told).toMatchObject({ outcome, attempts, anchor })
    expect([trial.copies('One'), trial.struck]).toEqual([copies, attempts])
    expect(trial.server.connections).toHaveLength(keeps ? 1 : attempts)
    for (const secret of SECRETS) expect(words).not.toContain(secret)
    if (['starttls', 'tls'].includes(fault.phase) && outcome !== 'sent')
      expect(trial.server.commands.filter((line) => !/^(EHLO|STARTTLS|QUIT)/.test(line))).toEqual([])
    if (fault.kind === 'missing') expect(trial.server.commands).toEqual([expect.stringMatching(/^EHLO /)])
  })
}

describe('an email with a stream', () => {
  const attached = () => ({
    text: 'Hello',
    attachments: [{ filename: 'a.txt', content: Readable.from(['first ', 'second']) }],
  })

  it('is not sent again after a refusal of its body, and the error says why', async () => {
    await using trial = await FaultTrial.start([{ phase: 'dot', kind: 'reply', code: 451 }])
    const told = await trial.send('One', attached())
    expect(told).toMatchObject({ outcome: 'deferred', attempts: 1 })
    expect(told.notRetried).toMatch(/stream/)
    expect(told.words).toContain('can be read only once')
    expect(trial.server.accepted).toEqual([])
  })

  it.each(['greeting', 'mail', 'rcpt', 'data'] as const)(
    'is sent again after 451 at %s, since it was not read',
    async (phase) => {
      await using trial = await FaultTrial.start((connection, mail) =>
        connection + mail === 0 ? { phase, kind: 'reply', code: 451 } : undefined,
      )
      expect(await trial.send('One', attached())).toMatchObject({ outcome: 'sent', attempts: 2 })
      const isWhole = ({ raw }: { raw: Buffer }) => raw.includes(btoa('first second'))
      expect(trial.server.accepted.map(isWhole)).toEqual([true])
    },
  )
})
