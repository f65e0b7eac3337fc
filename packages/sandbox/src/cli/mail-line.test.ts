import { stripVTControlCharacters } from 'node:util'
import { expect, it } from 'vitest'
import type { SandboxMail } from '../mail/sandbox-mail.js'
import { toMailLine } from './mail-line.js'

const mail = {
  receivedAt: new Date(2026, 0, 2, 3, 4, 5),
  stream: 'outbound',
  postmark: { tag: 'welcome' },
  envelope: { from: 'shop@example.com', to: ['ann@example.com', 'bob@example.com', 'eve@example.com'] },
  subject: 'Welcome, Ann',
  verdict: { outcome: 'sent', problems: [], notes: [] },
}
const line = (changed: object) =>
  toMailLine({ ...mail, ...changed } as unknown as SandboxMail, (_, text) => text)

it('is one line with what one looks for first', () => {
  expect(line({})).toBe('03:04:05  sent          outbound  welcome  ann@example.com +2  Welcome, Ann\n')
})

it('says why Postmark would refuse an email, and what to do', () => {
  const problem = { errorCode: 406, message: 'The recipient is inactive.', path: 'to', cure: 'Do not send.' }
  const verdict = { outcome: 'refused', problems: [problem], notes: [] }
  expect(line({ verdict, postmark: {}, envelope: { from: '', to: ['ann@example.com'] } })).toBe(
    '03:04:05  refused 406   outbound  -  ann@example.com  Welcome, Ann\n          The recipient is inactive.\n          Do not send.\n',
  )
})

it('marks a stream that does not exist', () => {
  const problem = { errorCode: 1235, message: 'No stream.', path: 'postmark.messageStream', cure: 'Make it.' }
  const verdict = { outcome: 'refused', problems: [problem], notes: [] }
  expect(line({ verdict, stream: 'nowhere' })).toContain('refused 1235  nowhere (does not exist)  welcome  ')
})

it.each([
  ['an escape sequence', '\u001b]0;owned\u0007\u001b[2J', /^\ufffd\]0;owned\ufffd\ufffd\[2J$/],
  ['a C1 control', '\u009b31mred', /^\ufffd31mred$/],
  ['line breaks', 'a\r\nb\u2028c', /^a\ufffd\ufffdb\ufffdc$/],
  ['a change of direction', '\u202egnp.exe', /^\ufffdgnp\.exe$/],
])('lets %s in an email do nothing to the terminal', (_, text, shown) => {
  const printed = line({ subject: text, postmark: { tag: text }, stream: text })
  const [, , stream, tag, , subject] = printed.trimEnd().split(/ {2,}/)
  expect([stream, tag, subject]).toEqual([1, 2, 3].map(() => expect.stringMatching(shown)))
  expect(stripVTControlCharacters(printed)).toBe(printed)
})

it('cuts a long subject', () => {
  expect(line({ subject: 'x'.repeat(2000) }).length).toBeLessThan(160)
})
