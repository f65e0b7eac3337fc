import { randomUUID } from 'node:crypto'
import { startSmtpServer } from '@postmark-smtp/testing'
import { createTransport } from 'nodemailer'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { createPostmarkTransport, type HealthReport, postmarkHealth } from '../index.js'

afterEach(() => vi.useRealTimers())

/** A transporter whose logins end when the test says so, and a clock that the test moves. */
function setUp(options: object = {}) {
  const logins: Login[] = []
  const clock = { ms: 0 }
  const transporter = {
    verify: () =>
      new Promise<true>((resolve, reject) => {
        logins.push({ resolve: () => resolve(true), reject })
      }),
  }
  const health = postmarkHealth(transporter, { now: () => clock.ms, ...options })
  return { logins, clock, health }
}
interface Login {
  resolve(): void
  reject(error: unknown): void
}
const refused = () => Object.assign(new Error('535 refused'), { code: 'EAUTH', responseCode: 535 })

describe('postmarkHealth over SMTP', () => {
  it('logs in once for many probes, by the transport of ours and by one of yours', async () => {
    await using server = await startSmtpServer()
    const { host, port, ca } = server
    const pass = randomUUID()
    const ours = createPostmarkTransport({
      serverToken: pass,
      host,
      ports: [port],
      tls: { ca },
    })
    const yours = createTransport({ host, port, requireTLS: true, tls: { ca }, auth: { user: pass, pass } })
    for (const transporter of [ours, yours]) {
      const before = server.logins.length
      const health = postmarkHealth(transporter)
      const first = await Promise.all([health(), health(), health()])
      expect(await health()).toBe(first[0])
      expect(first).toMatchObject([{ ok: true }, { ok: true }, { ok: true }])
      expect(server.logins.length - before).toBe(1)
    }
    expect(server.mails).toEqual([])
    await ours.close()
  })

  it('tells a refused login without a token, whatever the server says', async () => {
    await using server = await startSmtpServer({ auth: [] })
    const { host, port, ca } = server
    const pass = randomUUID()
    const own = createTransport({ host, port, requireTLS: true, tls: { ca }, auth: { user: pass, pass } })
    const result = await postmarkHealth(own)()
    expect(result).toEqual({
      ok: false,
      checkedAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
      durationMs: expect.any(Number),
      code: 'EAUTH',
      reason: 'login-refused',
    })
    expect(JSON.stringify(result)).not.toContain(pass)
  })
})

describe('postmarkHealth', () => {
  it.each([[undefined], [null], [{}], ['postmark+smtp://secret@default'], [createPostmarkTransport]])(
    'refuses %s, which is no transporter, when it is made',
    (given) => {
      expect(() => postmarkHealth(given as never)).toThrow(
        expect.objectContaining({
          code: 'ERR_POSTMARK_TRANSPORT',
          message: expect.stringMatching(
            /^postmarkHealth needs a transporter(?!.*secret).*createPostmarkTransport/,
          ),
        }),
      )
    },
  )

  it('logs in again once a success is a minute old', async () => {
    const { logins, clock, health } = setUp()
    const first = health()
    logins[0]!.resolve()
    expect(await first).toMatchObject({ ok: true, durationMs: 0 })
    clock.ms = 59_999
    expect(await health()).toBe(await first)
    clock.ms = 60_000
    const second = health()
    expect(logins).toHaveLength(2)
    logins[1]!.reject(refused())
    expect(await second).toMatchObject({ ok: false, code: 'EAUTH' })
  })

  it('logs in again once a failure is five seconds old', async () => {
    const { logins, clock, health } = setUp()
    const first = health()
    logins[0]!.reject(refused())
    expect(await first).toMatchObject({ ok: false })
    clock.ms = 4999
    expect(await health()).toBe(await first)
    clock.ms = 5000
    const second = health()
    logins[1]!.resolve()
    expect(await second).toMatchObject({ ok: true })
  })

  it('keeps a failure no longer than a success', async () => {
    const { logins, clock, health } = setUp({ cacheMs: 1000 })
    const first = health()
    logins[0]!.reject(refused())
    await first
    clock.ms = 1000
    void health()
    expect(logins).toHaveLength(2)
  })

  it('shares one login among probes that come while it is under way', async () => {
    const { logins, clock, health } = setUp({ cacheMs: 0 })
    const probes = [health(), health()]
    clock.ms = 3000
    probes.push(health())
    expect(logins).toHaveLength(1)
    logins[0]!.resolve()
    const results = await Promise.all(probes)
    expect(results.every((result) => result === results[0])).toBe(true)
    expect(results[0]).toMatchObject({ ok: true, durationMs: 3000 })
  })

  it('reports a login that hangs, and tries no other until it has ended', async () => {
    vi.useFakeTimers()
    const logins: (() => void)[] = []
    const verify = () => new Promise<void>((resolve) => logins.push(resolve))
    const health = postmarkHealth({ verify }, { timeoutMs: 10_000 })
    const first = health()
    await vi.advanceTimersByTimeAsync(10_000)
    expect(await first).toMatchObject({ ok: false, code: 'ETIMEDOUT', durationMs: 10_000 })
    await vi.advanceTimersByTimeAsync(60_000)
    expect(await health()).toBe(await first)
    expect(logins).toHaveLength(1)
    logins[0]!()
    await vi.advanceTimersByTimeAsync(0)
    expect(await health()).toMatchObject({ ok: true, durationMs: 70_000 })
    expect(logins).toHaveLength(1)
    expect(vi.getTimerCount()).toBe(0)
  })

  it.each<[string, unknown, Partial<HealthReport>]>([
    ['an error whose texts quote the login', quoting('EAUTH'), { code: 'EAUTH' }],
    ['a code that is no plain word', quoting('PM-T-secret-1'), { code: 'EUNKNOWN' }],
    ['a value that is not an error', 'secret', { code: 'EUNKNOWN' }],
    ['nothing at all', undefined, { code: 'EUNKNOWN' }],
  ])('shows no secret of %s', async (_title, error, expected) => {
    const { logins, health } = setUp()
    const probe = health()
    logins[0]!.reject(error)
    const result = await probe
    expect(result).toMatchObject({ ok: false, ...expected })
    expect(JSON.stringify(result)).not.toMatch(/secret/i)
  })

  it('reports a verify that throws at once', async () => {
    const health = postmarkHealth({
      verify: () => {
        throw refused()
      },
    })
    expect(await health()).toMatchObject({ ok: false, code: 'EAUTH' })
  })

  it.each([
    [{ cacheMs: -1 }, /Option cacheMs is .*milliseconds/],
    [{ timeoutMs: Number.POSITIVE_INFINITY }, /Option timeoutMs/],
    [{ failureCacheMs: '5s' }, /Option failureCacheMs is "5s"/],
    [{ cachMs: 1 }, /cachMs.*cacheMs/s],
  ])('refuses the options %o', (options, message) => {
    expect(() => postmarkHealth({ verify: async () => true }, options as object)).toThrow(
      expect.objectContaining({ code: 'ERR_POSTMARK_OPTIONS' }),
    )
    expect(() => postmarkHealth({ verify: async () => true }, options as object)).toThrow(message)
  })
})

function quoting(code: string): Error {
  const response = '535 secret refused'
  return Object.assign(new Error(response), { code, response, responseCode: 535, command: 'AUTH secret' })
}
