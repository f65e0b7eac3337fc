import { describe, expect, it } from 'vitest'
import { closeMatch, toSentence } from './problem.js'

describe('closeMatch', () => {
  const words = ['messageStream', 'tag', 'metadata', 'trackOpens', 'trackLinks', 'keepId', 'bounceType']
  it.each([
    ['tag', 'tag'],
    ['TAG', 'tag'],
    ['tags', 'tag'],
    ['tga', 'tag'],
    ['metdata', 'metadata'],
    ['meta_data', 'metadata'],
    ['track_opens', 'trackOpens'],
    ['track_links', 'trackLinks'],
    ['openTracking', undefined],
    ['subject', undefined],
    ['', undefined],
  ])('finds for %s the word %s', (word, match) => {
    expect(closeMatch(word, words)).toBe(match)
  })

  it('finds nothing for a word of 5000 letters', () => {
    expect(closeMatch('x'.repeat(5000), words)).toBeUndefined()
  })

  it('finds nothing among no words', () => {
    expect(closeMatch('tag', [])).toBeUndefined()
  })

  it('takes the nearest of two that are close', () => {
    expect(closeMatch('streams', ['stream', 'steam', 'streams2'])).toBe('stream')
  })
})

it('says a problem in one sentence with place, limit and cure', () => {
  const problem = {
    path: 'postmark.tag',
    found: 'has 1001 characters',
    limit: 'at most 1000 characters',
    cure: 'Shorten it.',
    severity: 'error',
  } as const
  expect(toSentence(problem)).toBe(
    'postmark.tag has 1001 characters (expected: at most 1000 characters). Shorten it.',
  )
})
