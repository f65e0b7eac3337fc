import { createPostmarkTransport } from '@postmark-smtp/core'
import { startSandbox } from '@postmark-smtp/sandbox'

test('an email carries its tag', async () => {
  const sandbox = await startSandbox()
  const transporter = createPostmarkTransport(sandbox.url)
  const mail = { from: 'shop@example.com', to: 'ann@example.com', subject: 'Hi', text: 'Hello' }
  await transporter.sendMail({ ...mail, postmark: { tag: 'welcome' } })

  const received = await sandbox.waitFor({ to: 'ann@example.com' })
  expect(received.postmark).toMatchObject({ tag: 'welcome' })
  expect((await received.parse()).text).toBe('Hello\n')
  await transporter.close()
  await sandbox.close()
})
