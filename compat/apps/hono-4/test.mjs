import { deepEqual } from 'node:assert/strict'
import { startSandbox } from '@postmark-smtp/sandbox'

// The snippet is in the README; compat/run.mjs writes it here.
const sandbox = await startSandbox()
process.env.POSTMARK_URL = sandbox.url
await import('./out/snippet.js')
const mail = await sandbox.waitFor({ to: 'ann@example.com' })
deepEqual(mail.postmark, { tag: 'signup', metadata: { tenant: 'acme' } })
await sandbox.close()
