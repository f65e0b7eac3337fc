import { redisMissing } from '@postmark-smtp/testing'
import { expect, it } from 'vitest'
import { runCircle } from './circle.js'
import { main } from './main.js'

it('prints one table of all examples, with the origin of each field', async () => {
  const lines: string[] = []
  await main((line) => lines.push(line))
  const cells = lines.map((line) => line.split(/ {2,}/))
  expect(cells[0]).toEqual(['example', 'subject', 'stream', 'tag', 'metadata', 'verdict', 'set by'])
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
  for (const example of ['fastify', 'hono'])
    expect(lines).toContainEqual(
      expect.stringMatching(
        RegExp(`^${example} +News +broadcast +news +.*route: messageStream tag; app: tenant user-id$`),
      ),
    )
  expect(lines).toContainEqual(
    expect.stringMatching(
      /^nest +News +broadcast +newsletter +.*route: messageStream tag; app: tenant request-id user-id$/,
    ),
  )
  expect(lines.filter((line) => /^script: Not sent|: 422 \{/.test(line))).toHaveLength(7)
  expect(lines.filter((line) => line.includes('250, then error 406'))).toHaveLength(4)
  expect(lines.filter((line) => /^(plugin|transporter): .*"tag":"receipt"/.test(line))).toHaveLength(2)
  const missing = redisMissing()
  if (missing === undefined) expect(lines).toContainEqual(expect.stringContaining('messaging_client_sent'))
  else expect(lines).toContain(`Observability is skipped. ${missing}`)
  expect(lines).toContain('1979 emails sent to 1979 subscribers')
  expect(lines.join('\n')).not.toContain('correlation-id=')
})

it('prints the round trip of one email, from its request to Postmark’s webhook and back to its request', async () => {
  const lines: string[] = []
  await runCircle((line) => lines.push(line))
  expect(lines.map((line) => line.replaceAll(/[0-9a-f-]{36}/g, 'ID'))).toEqual([
    expect.stringContaining('round trip'),
    '1. request   r-17: POST /signup for gone@example.com',
    expect.stringMatching(
      /^2. SMTP {6}250 2\.0\.0 Ok: queued as \w+; preflight found no problems; correlation ID ID$/,
    ),
    '3. webhook   Postmark posts a Bounce and gets 200',
    '4. handler   ID belongs to request r-17: error 406',
    expect.stringMatching(/^ +\S.*suppressed/),
  ])
  const [sent, found] = [lines[2], lines[4]].map((line) => /[0-9a-f-]{36}/.exec(line ?? '')?.[0])
  expect(found).toBe(sent)
})
