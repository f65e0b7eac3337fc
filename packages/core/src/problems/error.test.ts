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

  const timesPrinted = (error: Error, text: string) => inspect(error).split(text).length - 1

  it('prints a hint once, whether or not the message ends in it', () => {
    const make = (message: string) => new PostmarkError('ERR_POSTMARK_URL', message, { hint: 'Do this.' })
    expect(timesPrinted(make('It is wrong.'), 'Do this.')).toBe(1)
    expect(timesPrinted(make('It is wrong. Do this.'), 'Do this.')).toBe(1)
  })

  it('prints problems once, whether or not the message lists them, and gives JSON all of them', () => {
    const problems = [problem('tag'), problem('to')]
    const listed = problemsError('ERR_POSTMARK_FIELDS', problems)
    const silent = new PostmarkError('ERR_POSTMARK_FIELDS', 'Two are wrong.', { problems })
    const cure = problems[0]!.cure
    expect(timesPrinted(listed, cure)).toBe(2)
    expect(timesPrinted(silent, cure)).toBe(2)
    expect(JSON.parse(JSON.stringify(listed))).toMatchObject({
      code: 'ERR_POSTMARK_FIELDS',
      problems,
      hint: listed.hint,
    })
  })

  it('prints its name, stack, cause and whatever was added to it', () => {
    const error = new PostmarkError('ERR_POSTMARK_URL', 'It is wrong.', { cause: new Error('before') })
    const printed = inspect(Object.assign(error, { outcome: 'not-sent' }))
    expect(printed).toMatch(/^PostmarkError: It is wrong\.\n {4}at /)
    expect(printed).toContain("code: 'ERR_POSTMARK_URL'")
    expect(printed).toContain("outcome: 'not-sent'")
    expect(printed).toContain('[cause]: Error: before')
  })

  it('lists every problem in its message', () => {
    const { message } = problemsError('ERR_POSTMARK_PREFLIGHT', [problem('tag'), problem('to')])
    expect(message).toBe(
      'The email was not sent (2 problems):\n  - tag is bad (expected: good). Mend it.\n  - to is bad (expected: good). Mend it.',
    )
    expect(problemsError('ERR_POSTMARK_FIELDS', [problem('tag')]).message).toBe(
      'The Postmark fields are invalid:\n  - tag is bad (expected: good). Mend it.',
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
