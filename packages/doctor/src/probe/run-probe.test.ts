import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { startSandbox } from '@postmark-smtp/sandbox'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { PREMISES } from '../checks/all-checks.js'
import { runCli } from '../cli/run-cli.js'
import { beginExamination } from '../examination.js'
import { runChecks } from '../examine.js'
import type { ExamineOptions } from '../index.js'
import { leaksIn } from '../testing/collect.js'
import { SECRETS, SERVER, SERVER_TOKEN, startSetUp } from '../testing/set-up.js'
import { createLab } from './lab.js'
import { PROBE_STEPS } from './plan.js'
import { countMails } from './run-probe.js'

const FROM = 'ann.smith@shop.example'
const TEST_ADDRESS = /^test@blackhole\.postmarkapp\.com$|@bounce-testing\.postmarkapp\.com$/
let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'probe-'))
})
afterEach(() => rm(folder, { recursive: true }))

async function probe(
  answers: string,
  env: Record<string, string>,
  args: string[] = ['--from', FROM],
  options: ExamineOptions = {},
) {
  const out: string[] = []
  const err: string[] = []
  const code = await runCli(['--probe', ...args], {
    stdout: { write: (text) => out.push(text) },
    stderr: { write: (text) => err.push(text) },
    stdin: Readable.from([answers]),
    env,
    folder,
    version: '1.2.3',
    times: { lookMs: 20, everyMs: 10, idleMs: 30 },
    options: { limitMs: 60_000, ...options },
  })
  const [file] = await readdir(folder)
  const text = file === undefined ? '' : await readFile(join(folder, file), 'utf8')
  expect(leaksIn(out.join('') + err.join('') + text, SECRETS)).toEqual([])
  return { code, out: out.join(''), err: err.join(''), text, file }
}

interface Report {
  readonly steps: readonly { readonly id: string; readonly question: string; readonly seen: object }[]
}
const seenBy = (text: string) =>
  Object.fromEntries((JSON.parse(text) as Report).steps.map(({ id, seen }) => [id, seen]))

/** As many answers as there are steps. */
const yes = 'y\n'.repeat(PROBE_STEPS.length)
const only = (...ids: string[]) => PROBE_STEPS.map(({ id }) => (ids.includes(id) ? 'y\n' : 'n\n')).join('')

describe('the probe', () => {
  it('has a plan of fewer than 100 emails, each step with an ID of its own', () => {
    expect(countMails(PROBE_STEPS)).toBeLessThan(100)
    expect(new Set(PROBE_STEPS.map(({ id }) => id)).size).toBe(PROBE_STEPS.length)
  })

  it('answers every question at a sandbox, sends what its plan says to test addresses only, and writes it down', async () => {
    await using sandbox = await startSandbox({ serverToken: SERVER_TOKEN })
    const { code, text, out, file } = await probe(yes, { POSTMARK_URL: sandbox.url }, [
      '--from',
      FROM,
      '--api-url',
      sandbox.apiUrl,
    ])
    expect([code, file]).toEqual([0, expect.stringMatching(/^postmark-probe-[0-9a-f]{8}\.json$/)])
    expect(out).toContain(`The report is in ${join(folder, file!)}`)
    const { steps } = JSON.parse(text) as Report
    expect(steps.map(({ id }) => id)).toEqual(PROBE_STEPS.map(({ id }) => id))

    const recipients = sandbox.outbox.flatMap(({ envelope }) => envelope.to)
    expect(recipients.filter((address) => !TEST_ADDRESS.test(address))).toEqual([])
    expect(recipients.length).toBeLessThanOrEqual(countMails(PROBE_STEPS))
    const rawOf = (id: string) =>
      sandbox.outbox.find(({ subject }) => subject.endsWith(` ${id}`))?.raw.toString() ?? ''
    expect(rawOf('two-tags')).toContain('\r\nX-PM-Tag: first\r\nX-PM-Tag: second\r\n')
    expect(rawOf('key-case')).toContain('\r\nX-PM-Metadata-orderId: 1\r\n')
    expect(rawOf('encoded-tag')).toContain('\r\nX-PM-Tag: =?UTF-8?Q?caf=C3=A9?=\r\n')
    expect(rawOf('folded-metadata')).toContain('\r\nX-PM-Metadata-folded: first\r\n second\r\n')
    expect(rawOf('folded-metadata')).toContain(`\r\nX-PM-Metadata-later:\r\n ${'x'.repeat(80)}\r\n`)
    expect(rawOf('no-to')).not.toMatch(/^(To|Cc|Bcc):/m)
    expect(rawOf('two-froms').match(/^From: /gm)).toHaveLength(2)
    expect(rawOf('no-body')).toMatch(/\r\n\r\n\r\n$/)

    expect(seenBy(text)).toMatchObject({
      'api-test-login': { taken: false },
      'key-case': { mail: { Metadata: { orderId: '1' } } },
      'encoded-tag': { mail: { Tag: expect.any(String) } },
      'long-value': { bounce: { Type: 'SMTPApiError' } },
      'refused-mail': { bounce: { Type: 'SMTPApiError' }, dump: { Body: expect.stringContaining('1235') } },
      'other-host': { failed: 'the other host cannot be reached' },
      'token-and-header': { left: expect.any(String) },
      'mails-per-connection': { taken: 40, ended: 'by the doctor' },
      idle: { openAfterSeconds: 0 },
    })
  })

  it('writes no address, no domain of the sender, no ID and no UUID', async () => {
    await using sandbox = await startSandbox({ serverToken: SERVER_TOKEN })
    const { text } = await probe(only('long-value', 'key-case', 'offers'), { POSTMARK_URL: sandbox.url }, [
      '--from',
      FROM,
      '--api-url',
      sandbox.apiUrl,
    ])
    expect(text).toContain('[address]')
    expect(text).toContain('[id]')
    expect(text).not.toMatch(
      /[\w.]+@[\w.]+|shop\.example|ann\.smith|[0-9a-f]{8}-[0-9a-f]{4}-|\d+\.\d+\.\d+\.\d+/i,
    )
  })

  it('does only the steps that were answered with yes, and nothing after q or the end of the answers', async () => {
    await using sandbox = await startSandbox({ serverToken: SERVER_TOKEN })
    const env = { POSTMARK_URL: sandbox.url }
    const args = ['--from', FROM, '--api-url', sandbox.apiUrl]
    for (const answers of ['', '\n\n\n', 'n\nq\n', 'q\ny\ny\ny\n', 'nonsense\nyesno\n']) {
      const { code, file } = await probe(answers, env, args)
      expect([code, file, sandbox.outbox.length]).toEqual([0, undefined, 0])
    }
    const { text } = await probe(`n\nn\nyes\nq\n${yes}`, env, args)
    expect(Object.keys(seenBy(text))).toEqual(['key-case'])
    expect(sandbox.outbox).toHaveLength(1)
  })

  it('starts on no server that delivers for real, and not where something is wrong', async () => {
    for (const [setUp, reason] of [
      [{}, /^The server delivers for real/],
      [{ smtp: { auth: '535 5.7.8 No' } }, /^The probe does not start while something is wrong/],
      [{ options: { from: undefined } }, /^The probe needs --from/],
      [{ options: { apiUrl: 'http://127.0.0.1:1' } }, /^The probe does not start/],
    ] as const) {
      const { options, close } = await startSetUp(setUp)
      const { code, err, file } = await probe(yes, {}, [], options)
      await close()
      expect(err).toMatch(reason)
      expect([code === 0, file]).toEqual([false, undefined])
    }
  })

  it('runs on a server of the type Sandbox, and tries the other host there', async () => {
    const { options, close } = await startSetUp({
      routes: {
        '/server': { ...SERVER, DeliveryType: 'Sandbox' },
        '/messages/outbound': { TotalCount: 0, Messages: [] },
      },
    })
    const { code, text } = await probe(only('offers', 'other-host'), {}, [], options)
    await close()
    expect(code).toBe(0)
    expect(seenBy(text)).toMatchObject({
      offers: {
        'smtp.postmarkapp.com': { beforeTls: expect.arrayContaining(['STARTTLS']) },
        'smtp-broadcasts.postmarkapp.com': { afterTls: expect.arrayContaining(['PIPELINING']) },
      },
      'other-host': { replies: expect.arrayContaining(['250 2.0.0 Ok: queued as 4D5E6F']) },
    })
  })

  it('sends no hundredth mail, whatever a step asks for', async () => {
    await using sandbox = await startSandbox({ serverToken: SERVER_TOKEN })
    const examination = beginExamination({
      url: sandbox.url,
      apiUrl: sandbox.apiUrl,
      from: FROM,
      limitMs: 60_000,
    })
    for await (const { level } of runChecks(PREMISES, examination)) expect(level).not.toBe('fault')
    const lab = createLab(examination, 'run', { lookMs: 0, everyMs: 1, idleMs: 1 })
    await expect(lab.manyMails('many', 200)).rejects.toThrow('the probe has sent the most emails that it may')
    examination.end()
    expect([lab.sent, sandbox.outbox.length]).toEqual([99, 99])
  })

  it('writes down how an email was refused', async () => {
    const { options, close } = await startSetUp({
      smtp: { dot: '554 5.7.1 No email from ann.smith@shop.example' },
      routes: { '/server': { ...SERVER, DeliveryType: 'Sandbox' } },
    })
    const { text } = await probe(only('no-body', 'mails-per-connection'), {}, [], options)
    await close()
    expect(seenBy(text)).toMatchObject({
      'no-body': { replies: expect.arrayContaining(['554 5.7.1 No email from [address]']) },
      'mails-per-connection': { taken: 0, last: expect.stringContaining('554 5.7.1') },
    })
  })
})

it('cannot be combined with --json or --send-to', async () => {
  for (const args of [['--json'], ['--send-to', 'ann@example.com', '--from', FROM]]) {
    const { code, err } = await probe('', {}, args)
    expect([code, err]).toEqual([2, expect.stringContaining('--probe cannot be combined with')])
  }
})
