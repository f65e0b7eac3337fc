import { describe, expect, it, vi } from 'vitest'
import type { PostmarkProblem } from '../problems/problem.js'
import { toCompileSettings } from './settings.js'

const warning: PostmarkProblem = {
  path: 'tag',
  found: 'is odd',
  limit: 'even',
  cure: 'Mend it.',
  severity: 'warning',
}
const failing = (code: string, message: RegExp) =>
  expect.objectContaining({ code, message: expect.stringMatching(message) })

describe('toCompileSettings', () => {
  it.each([
    [undefined],
    [{}],
    [{ defaults: undefined, preflight: undefined, onWarning: undefined, correlationId: undefined }],
  ])('has defaults for %j', (options) => {
    expect(toCompileSettings(options)).toMatchObject({
      defaults: {},
      preflight: 'throw',
      correlationKey: undefined,
      streams: undefined,
    })
  })

  it('reads default fields as any others', () => {
    const { defaults } = toCompileSettings({ defaults: { tag: ' a ', metadata: { n: 0 }, keepId: false } })
    expect(defaults).toEqual({ tag: 'a', metadata: { n: '0' }, keepId: null })
  })

  it.each([
    ['a tag of an array', { tag: ['a'] }, /defaults\.tag/],
    ['a tag that is too long', { tag: 'x'.repeat(1001) }, /defaults\.tag has 1001/],
    ['a stream that is none', { messageStream: 'No' }, /defaults\.messageStream/],
    ['inbound', { messageStream: 'inbound' }, /inbound/],
    ['an unknown field', { tags: 'a' }, /Did you mean "tag"/],
    ['text', 'welcome', /defaults is "welcome"/],
  ])('refuses defaults at once: %s', (_title, defaults, message) => {
    expect(() => toCompileSettings({ defaults })).toThrow(failing('ERR_POSTMARK_FIELDS', message))
  })

  it('takes defaults outside ASCII, which are an unknown and no fault', () => {
    expect(toCompileSettings({ defaults: { tag: 'é' } }).defaults).toEqual({ tag: 'é' })
  })

  it.each([
    ['default', 'defaults'],
    ['preFlight', 'preflight'],
    ['onwarning', 'onWarning'],
    ['onWarnings', 'onWarning'],
    ['correlationID', 'correlationId'],
    ['correlation', 'correlationId'],
    ['logger', undefined],
  ])('refuses the unknown option %s and proposes %s', (name, near) => {
    const hint = near
      ? `Did you mean "${near}"?`
      : 'Known options: defaults, preflight, onWarning, correlationId, suppressions, suppressed, requireScope.'
    expect(() => toCompileSettings({ [name]: true })).toThrow(
      expect.objectContaining({
        code: 'ERR_POSTMARK_OPTIONS',
        hint,
        message: `Unknown option "${name}". ${hint}`,
      }),
    )
  })

  it.each([
    ['secure', 'ERR_POSTMARK_TLS', /STARTTLS/],
    ['requireTLS', 'ERR_POSTMARK_TLS', /STARTTLS/],
    ['ignoreTLS', 'ERR_POSTMARK_TLS', /allowPlaintext/],
    ['auth', 'ERR_POSTMARK_OPTIONS', /serverToken/],
    ['token', 'ERR_POSTMARK_OPTIONS', /serverToken/],
    ['apiKey', 'ERR_POSTMARK_OPTIONS', /serverToken/],
    ['port', 'ERR_POSTMARK_OPTIONS', /ports/],
    ['proxy', 'ERR_POSTMARK_OPTIONS', /getSocket/],
  ])('tells what Nodemailer\u2019s %s is here', (name, code, message) => {
    expect(() => toCompileSettings({ [name]: true })).toThrow(failing(code, message))
  })

  it.each([
    ['null', null],
    ['text', 'postmark+smtp://token@default'],
    ['an array', []],
    ['a function', () => ({})],
  ])('refuses %s in place of the options', (_title, options) => {
    expect(() => toCompileSettings(options)).toThrow(failing('ERR_POSTMARK_OPTIONS', /must be an object/))
  })

  it.each([
    ['preflight', 'strict', /"strict"; it must be "throw", "warn" or "fit"/],
    ['preflight', null, /preflight is null/],
    ['preflight', true, /preflight is true/],
    ['onWarning', 'log', /onWarning is "log"; it must be a function/],
    ['onWarning', null, /onWarning is null/],
    ['suppressions', null, /suppressions is null; it must be a store with a `find` method/],
    ['suppressions', new Map(), /createSuppressionList/],
    ['correlationId', 'id', /correlationId is "id"/],
    ['correlationId', null, /correlationId is null/],
    ['correlationId', {}, /correlationId/],
    ['correlationId', { key: '' }, /characters valid in a header name/],
    ['correlationId', { key: 'a b' }, /characters valid in a header name/],
    ['correlationId', { key: 'a:b' }, /characters valid in a header name/],
    ['correlationId', { key: 'é' }, /characters valid in a header name/],
    ['correlationId', { key: 'a\r\n' }, /characters valid in a header name/],
    ['correlationId', { key: 'x'.repeat(21) }, /at most 20/],
  ])('refuses %s of %j', (name, value, message) => {
    expect(() => toCompileSettings({ [name]: value })).toThrow(failing('ERR_POSTMARK_OPTIONS', message))
  })

  it('never quotes a long value, which may be a secret', () => {
    const secret = 'S'.repeat(20) + 'x'.repeat(200)
    expect(() => toCompileSettings({ preflight: secret })).toThrow(
      expect.objectContaining({ message: expect.not.stringContaining('x'.repeat(40)) }),
    )
  })

  it.each([
    [true, 'correlation-id'],
    [false, undefined],
    [{ key: 'x'.repeat(20) }, 'x'.repeat(20)],
  ])('reads correlationId %j as the key %s', (correlationId, key) => {
    expect(toCompileSettings({ correlationId }).correlationKey).toBe(key)
  })

  it('hands warnings on', () => {
    const heard: PostmarkProblem[] = []
    toCompileSettings({ onWarning: (each: PostmarkProblem) => heard.push(each) }).warn(warning)
    expect(heard).toEqual([warning])
  })

  it.each([
    [
      'throws',
      () => {
        throw new Error('no log')
      },
    ],
    ['rejects', () => Promise.reject(new Error('no log'))],
    ['is absent', undefined],
  ])('survives an onWarning that %s', async (_title, onWarning) => {
    const settings = toCompileSettings({ onWarning })
    expect(() => settings.warn(warning)).not.toThrow()
    // A rejection that nobody handles would fail this run.
    await new Promise(setImmediate)
  })
})

describe('warnings that nobody asked for', () => {
  it('become one warning of the process for each kind', async () => {
    const heard: Error[] = []
    const listen = (warning: Error) => void (warning.name === 'PostmarkWarning' && heard.push(warning))
    process.on('warning', listen)
    // Another test file of this process may have seen such a warning.
    vi.resetModules()
    const { warn } = (await import('./settings.js')).toCompileSettings({})
    const warning = {
      found: 'has 90',
      limit: 'at most 80',
      cure: 'Shorten it.',
      severity: 'warning',
    } as const
    warn({ ...warning, path: 'context.metadata.tenant' })
    warn({ ...warning, path: 'context.metadata.tenant', found: 'has 100' })
    warn({ ...warning, path: 'context.tag' })
    await new Promise(setImmediate)
    process.off('warning', listen)
    expect(heard.map(({ message }) => message)).toEqual([
      'context.metadata.tenant has 90 (expected: at most 80). Shorten it. Set onWarning to see every warning.',
      'context.tag has 90 (expected: at most 80). Shorten it. Set onWarning to see every warning.',
    ])
  })
})
