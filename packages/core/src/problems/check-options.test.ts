import { describe, expect, it } from 'vitest'
import { optionError, refuseUnknown } from './check-options.js'
import type { PostmarkError } from './error.js'

const TOKEN = '6f1c2b1e-8a34-4d3a-9a60-2f7f6c1f0a11'
const KNOWN = ['host', 'ports', 'serverToken', 'smtpToken', 'messageStream']

function refusalOf(act: () => void): PostmarkError {
  try {
    act()
  } catch (error) {
    return error as PostmarkError
  }
  throw new Error('It was not refused.')
}

describe('refuseUnknown', () => {
  it('names all unknown options at once, each with its cure', () => {
    const options = { host: 'h', port: 587, auth: { user: TOKEN, pass: TOKEN }, service: 'postmark', hots: 1 }
    const error = refusalOf(() => refuseUnknown(options, KNOWN))
    expect(error.code).toBe('ERR_POSTMARK_OPTIONS')
    expect(error.message).toBe(
      [
        '4 unknown options:',
        '  - port: Use `ports: [587]`.',
        '  - auth: Use `serverToken`, or `smtpToken: { accessKey, secretKey }`.',
        '  - service: Postmark’s hosts are the default. Remove `service`.',
        '  - hots: Did you mean "host"?',
      ].join('\n'),
    )
  })

  it('lists what is known once, however many have no cure of their own', () => {
    const error = refusalOf(() => refuseUnknown({ zebra: 1, giraffe: 2, hots: 3 }, KNOWN))
    expect(error.message).toBe(
      [
        '3 unknown options:',
        '  - zebra',
        '  - giraffe',
        '  - hots: Did you mean "host"?',
        `Known options: ${KNOWN.join(', ')}.`,
      ].join('\n'),
    )
  })

  it('has a cure for each option of Nodemailer’s pool and its messages, where the options are those of a transport', () => {
    const options = { maxConnections: 3, connectionTimeout: 1, from: 'a@example.com', debug: true }
    expect(refusalOf(() => refuseUnknown(options, KNOWN)).message).toBe(
      [
        '4 unknown options:',
        '  - maxConnections: Use `pool: { maxConnections }`.',
        '  - connectionTimeout: Use `timeouts: { raceMs, replyMs, finalMs }`.',
        '  - from: Use `message: { from }`.',
        '  - debug: Use `logger`.',
      ].join('\n'),
    )
    expect(refusalOf(() => refuseUnknown({ from: 'a@example.com' }, ['tag'])).hint).toBe(
      'Known options: tag.',
    )
  })

  it.each([
    [2525, 'Use `ports: [2525]`.'],
    ['2525', 'Use `ports: [2525]`.'],
    [465, 'Postmark has no implicit TLS on port 465. Remove `port`: ports 587, 2525 and 25 are tried.'],
    [undefined, 'Use `ports`, such as [587, 2525, 25].'],
    ['smtp', 'Use `ports`, such as [587, 2525, 25].'],
    [70_000, 'Use `ports`, such as [587, 2525, 25].'],
  ])('says for the port %j what to write', (port, cure) => {
    expect(refusalOf(() => refuseUnknown({ port }, KNOWN)).hint).toBe(cure)
  })

  it('is an error of TLS where one of them asks for TLS in another way', () => {
    const error = refusalOf(() => refuseUnknown({ port: 465, secure: true }, KNOWN))
    expect(error.code).toBe('ERR_POSTMARK_TLS')
    expect(error.message).toMatch(/port: .*\n.*secure: /)
  })

  it('names the option that holds the unknown one', () => {
    const error = refusalOf(() => refuseUnknown({ maxConnection: 1 }, ['maxConnections'], 'pool'))
    expect(error.message).toBe('Unknown option "pool.maxConnection". Did you mean "maxConnections"?')
  })

  it.each([
    [true, 'Option pool is true; it must be an object with maxConnections, maxAgeMs.'],
    [null, 'Option pool is null; it must be an object with maxConnections, maxAgeMs.'],
    ['big', 'Option pool is "big"; it must be an object with maxConnections, maxAgeMs.'],
    [[1], 'Option pool is an array of length 1; it must be an object with maxConnections, maxAgeMs.'],
  ])('names the option where %j stands in place of an object', (value, message) => {
    expect(refusalOf(() => refuseUnknown(value, ['maxConnections', 'maxAgeMs'], 'pool')).message).toBe(
      message,
    )
  })

  it.each([
    [null, 'The options must be an object, not null.'],
    ['postmark+smtp://t@default', 'The options must be an object, not a string.'],
  ])('says what came in place of the options: %j', (value, message) => {
    expect(refusalOf(() => refuseUnknown(value, KNOWN)).message).toBe(message)
  })

  it('lists what is known where nothing is close, and promises no close match', () => {
    const error = refusalOf(() => refuseUnknown({ zebra: 1 }, KNOWN))
    expect(error.hint).toBe(`Known options: ${KNOWN.join(', ')}.`)
    expect(refusalOf(() => refuseUnknown('x', KNOWN)).hint).not.toMatch(/close match/)
  })
})

describe('an option error never quotes a token', () => {
  it.each<[string, () => void]>([
    ['as the name of an option', () => refuseUnknown({ [TOKEN]: true }, KNOWN)],
    ['as one of several names', () => refuseUnknown({ [TOKEN]: true, hots: 1 }, KNOWN)],
    ['as a name within an option', () => refuseUnknown({ [TOKEN]: true }, KNOWN, 'pool')],
    ['in place of the options', () => refuseUnknown(TOKEN, KNOWN)],
    ['in place of an object', () => refuseUnknown(TOKEN, KNOWN, 'pool')],
    [
      'as a value',
      () => {
        throw optionError('authMethod', TOKEN, 'PLAIN or LOGIN')
      },
    ],
  ])('%s', (_title, act) => {
    const { message, hint, problems } = refusalOf(act)
    expect(JSON.stringify({ message, hint, problems })).not.toContain(TOKEN)
  })

  it('nor any text where a secret belongs', () => {
    expect(optionError('credentials', 'hunter2', 'a function').message).toBe(
      'Option credentials is a string; it must be a function.',
    )
    expect(optionError('streams.news.serverToken', 'hunter2', 'a token').message).not.toContain('hunter2')
    expect(optionError('serverToken', '', 'a token').message).toContain('is ""')
  })
})
