import { readFileSync } from 'node:fs'
import { createTransport } from 'nodemailer'
import { expect, it } from 'vitest'
import { startSandbox } from './index.js'

it('the README names no member that a sandbox and its emails do not have', async () => {
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8')
  const rows = readme.slice(readme.indexOf('| Member |')).split('\n\n')[0]!.split('\n').slice(2)
  const cells = rows.map((row) => row.split(' | ')[0]!)
  const names = cells.flatMap((cell) =>
    [...cell.matchAll(/`(?:await )?(?:\w+\.)?(\w+)/g)].map(([, name]) => name!),
  )
  expect(names.length).toBeGreaterThan(20)

  await using sandbox = await startSandbox()
  const { host, port, token, ca } = sandbox
  const transporter = createTransport({ host, port, tls: { ca }, auth: { user: token, pass: token } })
  await transporter.sendMail({ from: 'shop@example.com', to: 'ann@example.com', subject: 'Hi', text: 'Hi' })
  const [mail] = sandbox.outbox
  expect(names.filter((name) => !(name in sandbox || name in mail! || name === startSandbox.name))).toEqual(
    [],
  )
})
