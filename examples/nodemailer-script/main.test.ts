import { expect, it } from 'vitest'
import { main } from './main.js'

it('sends each mail with the headers of its own request', async () => {
  const lines: string[] = []
  await main((line) => lines.push(line))
  const mails = lines
    .slice(0, -1)
    .join('\n')
    .split(/\n(?! )/)
    .toSorted()
  expect(mails).toEqual([
    'No request\n  X-PM-Tag: script\n  X-PM-KeepID: true',
    'Order 1001\n  X-PM-Tag: receipt\n  X-PM-Metadata-tenant: acme\n  X-PM-Metadata-request-id: req-acme',
    'Order 1002\n  X-PM-Tag: receipt\n  X-PM-Metadata-tenant: umbrella\n  X-PM-Metadata-request-id: req-umbrella',
    'Order 1003\n  X-PM-Message-Stream: receipts\n  X-PM-Tag: receipt\n  X-PM-Metadata-tenant: initech\n  X-PM-Metadata-request-id: req-initech',
    expect.stringMatching(
      /^Order 1004\n {2}X-PM-Metadata-correlation-id: [0-9a-f-]{36}\n {2}X-PM-TrackLinks: HtmlOnly$/,
    ),
  ])
  expect(lines.at(-1)).toBe('5 mails received, 0 warnings, correlation ID 36 characters')
})
