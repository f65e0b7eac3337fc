import { expect, it } from 'vitest'
import { runWithPostmark, updatePostmark } from '../context/context.js'
import { explainPostmark } from './explain.js'

it('names the level that supplies each field', () => {
  const explained = runWithPostmark({ tag: 'outer', trackOpens: true, metadata: { a: '1', b: '1' } }, () =>
    runWithPostmark({ tag: 'inner', metadata: { B: '2' } }, () =>
      explainPostmark({ postmark: { keepId: true, metadata: { c: 3 } }, headers: { 'x-pm-tag': 'header' } }),
    ),
  )
  expect(explained).toEqual({
    tag: { value: 'header', level: 'headers' },
    trackOpens: { value: true, level: 'context[1]' },
    keepId: { value: true, level: 'postmark' },
    'metadata.a': { value: '1', level: 'context[1]' },
    'metadata.B': { value: '2', level: 'context[0]' },
    'metadata.c': { value: '3', level: 'postmark' },
  })
})

it('tells what a level cleared', () => {
  const explained = runWithPostmark({ tag: 'a', metadata: { a: '1' } }, () => {
    updatePostmark({ tag: null })
    return explainPostmark({ postmark: { metadata: { A: null } } })
  })
  expect(explained).toEqual({
    tag: { value: null, level: 'context[0]' },
    'metadata.A': { value: null, level: 'postmark' },
  })
})

it('explains a message outside any scope, in each shape of headers', () => {
  const tag = { tag: { value: 'a', level: 'headers' } }
  expect(explainPostmark({ headers: { 'X-PM-Tag': 'a' } })).toEqual(tag)
  expect(explainPostmark({ headers: [{ key: 'X-PM-Tag', value: 'a' }] })).toEqual(tag)
  expect(explainPostmark({ headers: { key: 'X-PM-Tag', value: { prepared: true, value: 'a' } } })).toEqual(
    tag,
  )
  expect(explainPostmark({})).toEqual({})
})

it('keeps to its level a value that is not legal', () => {
  expect(explainPostmark({ postmark: { tag: ['a'], messageStream: 'No' } })).toEqual({
    messageStream: { value: 'No', level: 'postmark' },
  })
})
