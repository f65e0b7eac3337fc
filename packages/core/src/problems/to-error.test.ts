import { runInNewContext } from 'node:vm'
import { expect, it } from 'vitest'
import { toError } from './to-error.js'

it('leaves an error as it is', () => {
  const error = new TypeError('No')
  expect(toError(error)).toBe(error)
})

it.each<[string, unknown, object]>([
  [
    'an error of another realm',
    runInNewContext("Object.assign(new Error('No'), { code: 'ENO' })"),
    { message: 'No', code: 'ENO' },
  ],
  ['a text', 'No', { message: 'No' }],
  ['nothing', undefined, { message: 'a value that is not an error' }],
  ['null', null, { message: 'a value that is not an error' }],
  ['a number', 5, { message: 'a value that is not an error' }],
  ['an object', { message: 5 }, { message: 'a value that is not an error' }],
])('makes an error of %s', (_what, thrown, expected) => {
  const error = toError(thrown)
  expect(error).toBeInstanceOf(Error)
  expect(error).toMatchObject({ ...expected, cause: thrown })
  expect('code' in error).toBe('code' in expected)
})
