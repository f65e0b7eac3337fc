import { expect, it } from 'vitest'
import { NO_CAPABILITIES, parseCapabilities } from './capabilities.js'

const read = (...lines: string[]) =>
  parseCapabilities({ code: 250, lines: ['PIPELINING is no keyword here', ...lines], response: '' })

it('reads keywords in any case, with their parameters, and nothing from the greeting', () => {
  const { keywords } = read('pipelining', '8BITMIME', 'Size 10240000', 'STARTTLS ')
  expect([...keywords]).toEqual([
    ['PIPELINING', ''],
    ['8BITMIME', ''],
    ['SIZE', '10240000'],
    ['STARTTLS', ''],
  ])
  expect(read().keywords.has('PIPELINING')).toBe(false)
})

it('reads mechanisms of both forms of AUTH, each once', () => {
  expect(read('AUTH plain LOGIN', 'AUTH=LOGIN CRAM-MD5').mechanisms).toEqual(['PLAIN', 'LOGIN', 'CRAM-MD5'])
  expect(read('AUTH').mechanisms).toEqual([])
  expect(NO_CAPABILITIES.mechanisms).toEqual([])
})

it.each(['STARTTLS_', 'PIPELINING.', 'AUTHPLAIN', '-SIZE 5', ''])(
  'does not take the line %j for a keyword that it begins with',
  (line) => {
    const { keywords, mechanisms } = read(line)
    for (const name of ['STARTTLS', 'PIPELINING', 'AUTH', 'SIZE']) expect(keywords.has(name)).toBe(false)
    expect(mechanisms).toEqual([])
  },
)
