import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Capabilities } from './capabilities.js'
import { readEnvelope } from './envelope.js'
import { toMailCommand, toRcptCommand } from './envelope-commands.js'

const offers = (...names: string[]): Capabilities => ({
  keywords: new Map(names.map((name) => [name, ''])),
  mechanisms: [],
})
const ALL = offers('SIZE', '8BITMIME', 'SMTPUTF8', 'DSN')
const NOTHING = offers()

const read = (from: unknown, to: unknown, dsn?: unknown) => readEnvelope({ from, to }, dsn)

describe('the addresses', () => {
  it.each([
    ['', ''],
    [false, ''],
    [undefined, ''],
    [' a@example.com ', 'a@example.com'],
  ])('takes the sender %j', (from, read_) => {
    expect(read(from, ['b@example.com'])).toEqual({ from: read_, to: ['b@example.com'], dsn: undefined })
  })

  it.each([[[]], [undefined], ['b@example.com'], [null]])('refuses %j as recipients', (to) => {
    expect(() => read('a@example.com', to)).toThrow(
      expect.objectContaining({ code: 'EENVELOPE', outcome: 'not-sent', phase: 'queue' }),
    )
  })

  it.each([
    'a@example.com>\r\nRCPT TO:<evil@example.com',
    'a@example.com\nDATA',
    'a@example.com\rDATA',
    'a@example.com\0',
    'a@example.com\x7f',
    'a@example.com> SIZE=1',
    '<a@example.com>',
    'a@example.com\tX',
  ])('refuses %j as sender and as recipient', (address) => {
    expect(() => read(address, ['b@example.com'])).toThrow(/^The sender .* is not an address$/)
    expect(() => read('a@example.com', ['b@example.com', address])).toThrow(
      /^The recipient .* is not an address$/,
    )
  })

  it.each(['', '  ', null, undefined])('refuses the recipient %j', (address) => {
    expect(() => read('a@example.com', [address])).toThrow('The recipient "" is not an address')
  })

  it('lets no address end its command or begin another one, whatever it is', () => {
    const texts = fc.string({ unit: 'binary', maxLength: 30 })
    const dsn = { envid: '\r\nRSET', orcpt: 'x\r\ny', notify: 'success', ret: 'full' }
    fc.assert(
      fc.property(texts, texts, (from, to) => {
        let envelope: ReturnType<typeof read>
        try {
          envelope = read(from, [to], dsn)
        } catch {
          return
        }
        const text = toMailCommand(envelope, ALL, {}) + toRcptCommand(envelope.to[0]!, envelope, ALL)
        expect(text).toMatch(
          /^MAIL FROM:<[^<>\r\n]*>( [^\r\n<>]+)?\r\nRCPT TO:<[^<>\r\n]+>( [^\r\n<>]+)?\r\n$/,
        )
      }),
      { numRuns: 300 },
    )
  })
})

describe('the MAIL command', () => {
  const envelope = read('a@example.com', ['b@example.com'])

  it.each([
    [NOTHING, { size: 5, has8Bit: true }, 'MAIL FROM:<a@example.com>\r\n'],
    [ALL, {}, 'MAIL FROM:<a@example.com>\r\n'],
    [ALL, { size: 0 }, 'MAIL FROM:<a@example.com> SIZE=0\r\n'],
    [ALL, { size: 5, has8Bit: true }, 'MAIL FROM:<a@example.com> BODY=8BITMIME SIZE=5\r\n'],
    [ALL, { size: 5, has8Bit: false }, 'MAIL FROM:<a@example.com> SIZE=5\r\n'],
  ])('has what the server offers and the content needs: %#', (capabilities, content, command) => {
    expect(toMailCommand(envelope, capabilities, content)).toBe(command)
  })

  it('is <> for the null sender', () => {
    expect(toMailCommand(read('', ['b@example.com']), NOTHING, {})).toBe('MAIL FROM:<>\r\n')
  })

  it.each([
    ['ä@example.com', 'b@example.com'],
    ['a@example.com', 'ü@example.com'],
  ])('asks for SMTPUTF8 where an address needs it: from %s to %s', (from, to) => {
    const international = read(from, ['c@example.com', to])
    expect(toMailCommand(international, ALL, {})).toBe(`MAIL FROM:<${from}> SMTPUTF8\r\n`)
    expect(toMailCommand(international, NOTHING, {})).toBe(`MAIL FROM:<${from}>\r\n`)
  })
})

describe('dsn', () => {
  const commands = (dsn: unknown, capabilities = ALL) => {
    const envelope = read('a@example.com', ['b@example.com'], dsn)
    return toMailCommand(envelope, capabilities, {}) + toRcptCommand('b@example.com', envelope, capabilities)
  }
  const PLAIN = 'MAIL FROM:<a@example.com>\r\nRCPT TO:<b@example.com>\r\n'

  it.each([
    [
      { ret: 'hdrs', envid: 'id 1' },
      'MAIL FROM:<a@example.com> RET=HDRS ENVID=id+201\r\nRCPT TO:<b@example.com>\r\n',
    ],
    [
      { return: 'headers', id: 'a+b=c' },
      'MAIL FROM:<a@example.com> RET=HDRS ENVID=a+2Bb+3Dc\r\nRCPT TO:<b@example.com>\r\n',
    ],
    [{ ret: 'body' }, 'MAIL FROM:<a@example.com> RET=FULL\r\nRCPT TO:<b@example.com>\r\n'],
    [
      { notify: 'success, delay' },
      'MAIL FROM:<a@example.com>\r\nRCPT TO:<b@example.com> NOTIFY=SUCCESS,DELAY\r\n',
    ],
    [{ notify: ['never'] }, 'MAIL FROM:<a@example.com>\r\nRCPT TO:<b@example.com> NOTIFY=NEVER\r\n'],
    [
      { recipient: 'o@example.com' },
      'MAIL FROM:<a@example.com>\r\nRCPT TO:<b@example.com> ORCPT=rfc822;o@example.com\r\n',
    ],
    [{ orcpt: 'utf-8;ü' }, 'MAIL FROM:<a@example.com>\r\nRCPT TO:<b@example.com> ORCPT=utf-8;+C3+BC\r\n'],
    [{}, PLAIN],
    [{ ret: '', notify: '', envid: null }, PLAIN],
    [null, PLAIN],
  ])('writes %j', (dsn, text) => {
    expect(commands(dsn)).toBe(text)
  })

  it('is left out where the server does not offer it', () => {
    expect(
      commands({ ret: 'full', envid: 'x', notify: 'success', recipient: 'o@example.com' }, NOTHING),
    ).toBe(PLAIN)
  })

  it.each([
    [{ ret: 'some' }, 'dsn.ret is "SOME"; it must be "HDRS" or "FULL"'],
    [{ notify: 'never,success' }, /^dsn.notify must be/],
    [{ notify: 'often' }, /^dsn.notify must be/],
    [{ notify: ['SUCCESS\r\nRSET'] }, /^dsn.notify must be/],
  ])('refuses %j', (dsn, message) => {
    expect(() => commands(dsn)).toThrow(message)
  })

  it('writes an identifier with line breaks as printable characters', () => {
    expect(commands({ envid: 'x\r\nRSET' })).toContain('ENVID=x+0D+0ARSET\r\n')
  })
})
