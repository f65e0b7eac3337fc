import { createPostmarkTransport } from '@postmark-smtp/core'
import { startSandbox } from '@postmark-smtp/sandbox'
import { redisMissing } from '@postmark-smtp/testing'
import { pino } from 'pino'
import { expect, it } from 'vitest'
import { logMails } from './mail-log.js'
import { main } from './main.js'

const missing = redisMissing()
const skipped = missing !== undefined && process.env.REQUIRE_REAL_PARTS !== '1'
if (skipped) console.warn(`Skipped: ${missing}`)

it.skipIf(skipped)('shows each email in the log, among the spans and on the page of Prometheus', async () => {
  const lines: string[] = []
  await main((line) => lines.push(line))
  const log = lines.filter((line) => line.startsWith('{')).map((line) => JSON.parse(line))
  const sent = { stream: 'outbound', outcome: 'sent', attempts: 1, ms: expect.any(Number) }
  expect(log).toEqual([
    expect.objectContaining({ ...sent, tag: 'welcome' }),
    expect.objectContaining({ ...sent, tag: 'receipt' }),
  ])

  const tree = lines.filter((line) => /^ *[a-zA-Z]+ ?\S*( \(linked to: .*\))?$/.test(line)).join('\n')
  const mail = '  send outbound\n    connect\n    login'
  const delivered = 'POST /webhooks/postmark\n  process delivered (linked to: send outbound)'
  expect(tree).toContain(`POST /signup\n${mail}`)
  expect(tree).toContain(`process postmark-mail (linked to: POST /orders/1)\n${mail}`)
  expect(tree.split(delivered)).toHaveLength(3)

  const page = lines.flatMap((line) => {
    const [, name, labels, value] = /^(\w+)\{(.*)\} (\S+)$/.exec(line) ?? []
    return name ? [{ name, labels, value: Number(value) }] : []
  })
  const read = (metric: string, label = '') =>
    page.find(({ name, labels }) => name === metric && labels!.includes(label))?.value
  expect(read('messaging_client_sent_messages_total', 'postmark_outcome="sent"')).toBe(2)
  expect(read('messaging_client_operation_duration_count', 'messaging_destination_name="outbound"')).toBe(2)
  expect(read('postmark_client_connect_duration_count')).toBe(2)
  expect(read('postmark_webhook_events_total', 'postmark_webhook_kind="delivered"')).toBe(2)
  expect(read('postmark_client_queue_length')).toBe(0)
  expect(read('postmark_client_connections', 'postmark_connection_state="used"')).toBe(0)
  expect(lines.join('\n')).not.toMatch(/@example|Receipt|Hello|webhook-5e7a/)
})

it('logs why an email was not sent, without its addresses', async () => {
  await using sandbox = await startSandbox()
  await using transporter = createPostmarkTransport(sandbox.url)
  const lines: string[] = []
  const stop = logMails(pino({ base: null, timestamp: false }, { write: (line) => lines.push(line) }))
  const mail = { from: 'shop@example.com', to: 'ann@example.com', subject: 'Hi', text: 'Hi' }
  await expect(transporter.sendMail({ ...mail, subject: 'Hi'.repeat(2000) })).rejects.toThrow()
  stop()
  await transporter.sendMail(mail)
  expect(lines.map((line) => JSON.parse(line))).toEqual([
    {
      level: 50,
      mail: expect.any(Number),
      stream: 'outbound',
      outcome: 'not-sent',
      attempts: 0,
      code: 'ERR_POSTMARK_PREFLIGHT',
      ms: expect.any(Number),
      msg: 'mail',
    },
  ])
})
