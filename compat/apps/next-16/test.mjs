import { deepEqual, equal } from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { startSandbox } from '@postmark-smtp/sandbox'

const REQUESTS = 50
const password = 'webhook-5e7a9c1b'
const sandbox = await startSandbox()
const next = spawn(process.execPath, ['node_modules/next/dist/bin/next', 'start', '--port', '0'], {
  env: { ...process.env, POSTMARK_URL: sandbox.url, WEBHOOK_PASSWORD: password },
  stdio: ['ignore', 'pipe', 'inherit'],
})

/** The address that Next.js prints when it listens. */
async function readOrigin() {
  for await (const line of createInterface(next.stdout)) {
    const [origin] = /http:\/\/localhost:\d+/.exec(line) ?? []
    if (origin) return origin
  }
  throw new Error('Next.js did not start')
}

/** Waits until this many emails have arrived, and gives them by subject. */
async function mailsOf(count) {
  for (let index = 0; sandbox.outbox.length < count; index++) {
    if (index === 600) throw new Error(`${sandbox.outbox.length} of ${count} emails arrived`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  const seen = sandbox.outbox.map(({ subject, postmark }) => [subject, postmark])
  sandbox.clear()
  return Object.fromEntries(seen)
}

try {
  const origin = await readOrigin()
  next.stdout.resume()
  const names = Array.from({ length: REQUESTS }, (_, index) => `next-${index}`)
  const ask = async (path, name, init) => {
    const response = await fetch(origin + path, {
      method: 'POST',
      ...init,
      headers: { 'x-tenant': name, ...init?.headers },
    })
    equal(response.status, 200, `${path}: ${await response.text()}`)
  }
  const fieldsOf = (tag, name) => ({ tag, metadata: { tenant: name } })

  await Promise.all(names.map((name) => ask(`/signup?name=${name}`, name)))
  const wanted = names.flatMap((name) =>
    ['Hello', 'Later'].map((word) => [`${word} ${name}`, fieldsOf('signup', name)]),
  )
  deepEqual(await mailsOf(2 * REQUESTS), Object.fromEntries(wanted))

  // A form works without scripts: its hidden field names the action.
  const [, action] = /name="(\$ACTION_ID_\w+)"/.exec(await (await fetch(origin)).text())
  const submit = (name) => {
    const body = new FormData()
    body.set(action, '')
    body.set('name', name)
    return ask('/', name, { body, headers: { origin } })
  }
  await Promise.all(names.map(submit))
  deepEqual(
    await mailsOf(REQUESTS),
    Object.fromEntries(names.map((name) => [`Hello ${name}`, fieldsOf('form', name)])),
  )

  const authorization = `Basic ${btoa(`postmark:${password}`)}`
  const body = JSON.stringify({ RecordType: 'Bounce', Type: 'SMTPApiError', Details: 'ErrorCode: 406' })
  await ask('/webhooks/postmark', 'none', { body, headers: { authorization } })
} finally {
  next.kill()
  await sandbox.close()
}
