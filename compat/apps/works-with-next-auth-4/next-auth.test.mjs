import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { test } from 'node:test'
import { runWithPostmark } from '@postmark-smtp/core'
import { startSandbox } from '@postmark-smtp/sandbox'
import { createProvider } from './provider.cjs'

// What the handlers of Next.js call; it is not among the exports.
const { AuthHandler } = createRequire(import.meta.url)('./node_modules/next-auth/core/index.js')

process.env.NEXTAUTH_URL = 'http://localhost'
const adapter = {
  getUserByEmail: async () => null,
  createVerificationToken: async (token) => token,
  useVerificationToken: async () => null,
  createUser: async (user) => user,
  getUser: async () => null,
  getUserByAccount: async () => null,
  updateUser: async (user) => user,
  linkAccount: async () => undefined,
}

test('our transporter as the `server` of next-auth 4, which copies it in depth', async (t) => {
  const sandbox = await startSandbox()
  t.after(() => sandbox.close())
  const providers = [createProvider(sandbox.url)]
  const options = { providers, adapter, secret: 'x'.repeat(40), session: { strategy: 'jwt' } }
  const call = (request) =>
    AuthHandler({
      req: { headers: {}, cookies: {}, query: {}, origin: 'http://localhost', ...request },
      options,
    })
  const { body, cookies } = await call({ action: 'csrf', method: 'GET' })
  const { name, value } = cookies.find((cookie) => cookie.name.includes('csrf'))
  const signIn = () =>
    call({
      action: 'signin',
      providerId: 'email',
      method: 'POST',
      body: { email: 'ann@example.com', csrfToken: body.csrfToken },
      cookies: { [name]: value },
    })
  const fields = { tag: 'sign-in', messageStream: 'logins', metadata: { tenant: 'acme' } }
  const { redirect } = await runWithPostmark(fields, signIn)
  assert.match(redirect, /verify-request/)
  assert.deepEqual(sandbox.outbox[0].postmark, fields)
  assert.equal(sandbox.outbox[0].from, 'login@example.com')
})
