import { expect, it } from 'vitest'
import { main } from './main.js'

it('prints one table over all examples, with where each field came from', async () => {
  const lines: string[] = []
  await main((line) => lines.push(line))
  const cells = lines.map((line) => line.split(/ {2,}/))
  expect(cells[0]).toEqual(['example', 'subject', 'stream', 'tag', 'metadata', 'verdict', 'where from'])
  expect(lines).toContainEqual(
    expect.stringMatching(
      /^script +Order 1001 +outbound +checkout +tenant=acme request-id=req-1 +accepted +defaults: messageStream; scope: tag tenant request-id$/,
    ),
  )
  expect(lines).toContainEqual(
    expect.stringMatching(
      /^express +Welcome +outbound +signup +.*defaults: messageStream; route: tag; app: tenant user-id$/,
    ),
  )
  expect(lines).toContainEqual(
    expect.stringMatching(
      /^express +Reset your password +outbound +password-reset +.*message: tag trackLinks; app: tenant user-id$/,
    ),
  )
  expect(lines).toContainEqual(
    expect.stringMatching(
      /^nest +News +broadcast +newsletter +.*route: messageStream tag; app: tenant request-id user-id$/,
    ),
  )
  expect(lines.filter((line) => /Refused|422/.test(line))).toHaveLength(3)
})
