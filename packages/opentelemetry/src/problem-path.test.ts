import { expect, it } from 'vitest'
import { toProblemPath } from './problem-path.js'

it.each([
  ['subject', 'subject'],
  ['attachments[0].filename', 'attachments[].filename'],
  ['alternatives[12].content.path', 'alternatives[].content.path'],
  ['headers["X-PM-Metadata-ann@example.com"]', 'headers[]'],
  ['headers["a]\\"b"][2]', 'headers[][]'],
  ['context.metadata.order-id', 'context.metadata'],
  ['postmark.metadata["ann@example.com"]', 'postmark.metadata'],
  ['postmark.trackopens', 'postmark.trackopens'],
  ['postmark.ann@example.com', 'postmark'],
  ['postmark.[address]', 'postmark'],
  ['postmark.00000000-0000-4000-8000-000000000000', 'postmark'],
  ['postmark.a b.c', 'postmark'],
])('the path %s is counted as %s', (path, expected) => {
  expect(toProblemPath(path)).toBe(expected)
})
