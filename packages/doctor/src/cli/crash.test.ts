import { PostmarkError } from '@postmark-smtp/core'
import { expect, it } from 'vitest'
import { reportCrash } from './crash.js'

const TOKEN = 'c3a1f0e2-7b64-4c59-8d2e-1f0a9b8c7d6e'

function crash(error: unknown, ...args: string[]) {
  const out: string[] = []
  const err: string[] = []
  const code = reportCrash(error, args, {
    stdout: { write: (text) => out.push(text) },
    stderr: { write: (text) => err.push(text) },
  })
  return { code, out: out.join(''), err: err.join('') }
}

it.each([
  [new TypeError(`cannot read ${TOKEN}`), 'The doctor failed: TypeError'],
  [
    Object.assign(new Error(TOKEN), { code: 'ERR_INVALID_URL', input: TOKEN }),
    'The doctor failed: Error ERR_INVALID_URL',
  ],
  [Object.assign(new Error(), { name: `X${TOKEN}`, code: TOKEN }), 'The doctor failed: unknown error'],
  [TOKEN, 'The doctor failed: unknown error'],
  [undefined, 'The doctor failed: unknown error'],
  [new PostmarkError('ERR_POSTMARK_OPTIONS', 'Option from is missing.'), 'Option from is missing.'],
])('says what failed without what it quotes, and exits with 2: %#', (error, text) => {
  expect(crash(error)).toEqual({ code: 2, out: '', err: `${text}\n` })
  const { out } = crash(error, '--json')
  expect(JSON.parse(out)).toEqual({
    check: 'doctor',
    title: 'The doctor',
    level: 'skipped',
    text,
    incomplete: true,
  })
})
