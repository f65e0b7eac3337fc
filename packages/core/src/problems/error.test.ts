import { inspect } from 'node:util'
import { describe, expect, it } from 'vitest'
import { ERROR_CODES, isPostmarkError, PostmarkError, problemsError } from './error.js'
import type { PostmarkProblem } from './problem.js'

const problem = (path: string): PostmarkProblem => ({
  path,
  found: 'is bad',
  limit: 'good',
  cure: 'Mend it.',
  severity: 'error',
})

describe('PostmarkError', () => {
  it('carries code, problems, hint and cause', () => {
    const cause = new Error('before')
    const problems = [problem('tag')]
    const error = new PostmarkError('ERR_POSTMARK_FIELDS', 'message', { problems, hint: 'hint', cause })
    expect(error).toBeInstanceOf(Error)
    expect(error).toMatchObject({
      name: 'PostmarkError',
      code: 'ERR_POSTMARK_FIELDS',
      message: 'message',
      problems,
      hint: 'hint',
      cause,
    })
  })

  it.each(Object.entries(ERROR_CODES))(
    'hints at the cure of %s where no nearer one is given',
    (code, { cure, meaning }) => {
      const error = new PostmarkError(code as keyof typeof ERROR_CODES, 'message')
      expect(error.hint).toBe(cure)
      expect(error.problems).toEqual([])
      expect('cause' in error).toBe(false)
      expect(meaning).toMatch(/\.$/)
    },
  )

  it('prints a hint once, whether or not the message ends in it', () => {
    const print = (message: string) =>
      inspect(new PostmarkError('ERR_POSTMARK_URL', message, { hint: 'Do this.' })).split('Do this.').length -
      1
    expect(print('It is wrong.')).toBe(1)
    expect(print('It is wrong. Do this.')).toBe(1)
  })

  it('lists every problem in its message', () => {
    const { message } = problemsError('ERR_POSTMARK_PREFLIGHT', [problem('tag'), problem('to')])
    expect(message).toBe(
      'The mail was not sent (2 problems):\n  - tag is bad (expected: good). Mend it.\n  - to is bad (expected: good). Mend it.',
    )
    expect(problemsError('ERR_POSTMARK_FIELDS', [problem('tag')]).message).toBe(
      'The Postmark fields are not valid:\n  - tag is bad (expected: good). Mend it.',
    )
  })
})

describe('isPostmarkError', () => {
  it('knows an error of another copy of this package', async () => {
    const other = (await import('./error.js?copy=2' as './error.js')).PostmarkError
    expect(other).not.toBe(PostmarkError)
    expect(isPostmarkError(new other('ERR_POSTMARK_URL', 'x'))).toBe(true)
    expect(isPostmarkError(new PostmarkError('ERR_POSTMARK_URL', 'x'))).toBe(true)
  })

  it.each([[new Error('x')], [{ code: 'ERR_POSTMARK_URL' }], [null], [undefined], ['ERR_POSTMARK_URL']])(
    'does not take %j for one',
    (value) => {
      expect(isPostmarkError(value)).toBe(false)
    },
  )
})
