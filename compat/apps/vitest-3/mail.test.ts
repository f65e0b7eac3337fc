import { createPostmarkTransport } from '@postmark-smtp/core'
import { startSandbox } from '@postmark-smtp/sandbox'
import { expect, it } from 'vitest'
import '@postmark-smtp/sandbox/vitest'

it('tells an email that was sent from one that was not', async () => {
  const sandbox = await startSandbox()
  const transporter = createPostmarkTransport(sandbox.url)
  await transporter.sendMail({
    from: 'shop@example.com',
    to: 'ann@example.com',
    subject: 'Hi',
    text: 'Hi',
    postmark: { tag: 'welcome' },
  })
  await expect(sandbox).toHaveSent({ to: 'ann@example.com', tag: expect.stringContaining('come') })
  await expect(sandbox).not.toHaveSent({ to: 'eve@example.com' })
  const failing = expect(sandbox).toHaveSent({ tag: 'receipt' }, { timeoutMs: 0 })
  await expect(failing).rejects.toThrow(/-\s+"tag": "receipt",\n.*\+\s+"tag": "welcome",/)
  await transporter.close()
  await sandbox.close()
})
