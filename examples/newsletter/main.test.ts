import { createMemorySendOnce, createPostmarkTransport } from '@postmark-smtp/core'
import { startSandbox } from '@postmark-smtp/sandbox'
import { expect, it } from 'vitest'
import { main } from './main.js'
import { sendNewsletter } from './newsletter.js'

it('sends the newsletter to each subscriber once, even if it is stopped and continued', async () => {
  const lines: string[] = []
  await main((line) => lines.push(line), { subscribers: 600, stopAt: 50 })
  const [stopped, sent, ...failures] = lines
  const count = Number(/^Stopped: (\d+) of 600 emails sent\. Sending the rest\.$/.exec(stopped!)![1])
  expect(count).toBeLessThan(590)
  // Six have no address, and one has unsubscribed.
  expect(sent).toBe('593 emails sent to 593 subscribers')
  expect(failures).toHaveLength(6)
  expect(failures).toContain('november:7: suppressed, has unsubscribed')
  expect(failures).toContainEqual(expect.stringMatching(/^november:100: refused, /))
})

it('fails if the file cannot be read', async () => {
  await using sandbox = await startSandbox()
  await using transporter = createPostmarkTransport({
    url: sandbox.url,
    messageStream: 'broadcast',
    sendOnce: createMemorySendOnce(),
  })
  const { signal } = new AbortController()
  const sending = sendNewsletter(transporter, '/no/such/file.csv', { signal, onProgress: () => {} })
  await expect(sending).rejects.toMatchObject({ code: 'ENOENT' })
})
