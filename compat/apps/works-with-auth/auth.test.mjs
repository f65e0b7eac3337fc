import assert from 'node:assert/strict'
import { afterEach, beforeEach, test } from 'node:test'
import { Auth, skipCSRFCheck } from '@auth/core'
import Nodemailer from '@auth/core/providers/nodemailer'
import { attachPostmark, createPostmarkTransport, runWithPostmark } from '@postmark-smtp/core'
import { startSandbox } from '@postmark-smtp/sandbox'
import { memoryAdapter } from 'better-auth/adapters/memory'
import { createTransport } from 'nodemailer'
import * as authJs from './auth-js.mjs'
import * as authJsRequest from './auth-js-request.mjs'
import { createAuth } from './better-auth.mjs'

let sandbox
beforeEach(async () => {
  sandbox = await startSandbox()
})
afterEach(() => sandbox.close())

const secret = 'a-secret-of-this-test-that-is-long-enough'
const inScope = (work) => runWithPostmark({ metadata: { tenant: 'acme' } }, work)

/** Auth.js with an adapter that knows nobody, as it is asked to sign somebody in; gives what it redirects to. */
async function signIn(provider, wrap = (handler) => handler) {
  const adapter = {
    getUserByEmail: () => null,
    createVerificationToken: (token) => token,
    useVerificationToken: () => null,
    createUser: (user) => user,
    getUser: () => null,
    getUserByAccount: () => null,
    updateUser: (user) => user,
    linkAccount: () => undefined,
  }
  const config = {
    adapter,
    providers: [provider],
    secret,
    skipCSRFCheck,
    trustHost: true,
    basePath: '/auth',
    session: { strategy: 'jwt' },
    logger: { warn: () => {} },
  }
  const handler = wrap((request) => Auth(request, config))
  const request = new Request('http://localhost/auth/signin/nodemailer', {
    method: 'POST',
    body: new URLSearchParams({ email: 'ann@example.com' }),
  })
  return (await inScope(() => handler(request))).headers.get('location')
}

test('our transporter as the `server` of Auth.js, which copies it in depth', async () => {
  const location = await signIn(authJs.createProvider(sandbox.url), authJs.withFields)
  assert.match(location, /verify-request/)
  const [mail] = sandbox.outbox
  assert.deepEqual(mail.postmark, { tag: 'sign-in', messageStream: 'logins', metadata: { tenant: 'acme' } })
  assert.equal(mail.from, 'login@example.com')
  assert.match((await mail.parse()).text, /callback\/nodemailer/)
})

test('a sendVerificationRequest of your own', async () => {
  await signIn(authJsRequest.createProvider(sandbox.url))
  const [mail] = sandbox.outbox
  assert.deepEqual(mail.postmark, { tag: 'sign-in', messageStream: 'logins', metadata: { tenant: 'acme' } })
  assert.equal(mail.from, 'login@example.com')
})

test('a transporter of attachPostmark as the `server` is an error, not a connection to localhost', async () => {
  const server = attachPostmark(createTransport({ host: '127.0.0.1', port: 1 }))
  const provider = Nodemailer({ server, from: 'a@example.com' })
  // Not by signIn: Auth.js does not yet listen to the promise when it rejects.
  const sent = provider.sendVerificationRequest({
    identifier: 'ann@example.com',
    url: 'http://localhost/callback',
    provider: { ...provider, server: { ...server } },
    theme: {},
  })
  await assert.rejects(sent, { code: 'ERR_POSTMARK_TRANSPORT' })
})

test('sign-ins leave nothing behind on the transporter', async (t) => {
  const warned = t.mock.method(process, 'emitWarning', () => {})
  const server = createPostmarkTransport(sandbox.url)
  const provider = Nodemailer({ server, from: 'login@example.com' })
  const before = server.transporter.listenerCount('idle')
  for (let index = 0; index < 20; index++) await signIn(provider)
  assert.equal(sandbox.outbox.length, 20)
  assert.equal(server.transporter.listenerCount('idle'), before)
  assert.deepEqual(warned.mock.calls, [])
  await server.close()
})

test('the callbacks of Better Auth', async () => {
  const database = memoryAdapter({ user: [], session: [], account: [], verification: [] })
  const auth = createAuth(sandbox.url, {
    database,
    secret,
    baseURL: 'http://localhost',
    telemetry: { enabled: false },
  })
  const body = { name: 'Ann', email: 'ann@example.com', password: 'correct horse battery' }
  const { user } = await inScope(() => auth.api.signUpEmail({ body }))
  await inScope(() => auth.api.requestPasswordReset({ body: { email: body.email, redirectTo: '/reset' } }))
  const metadata = { tenant: 'acme', user: user.id }
  const seen = [await sandbox.waitFor({ tag: 'verify' }), await sandbox.waitFor({ tag: 'reset' })]
  assert.deepEqual(
    seen.map((mail) => mail.postmark),
    [
      { tag: 'verify', messageStream: 'logins', metadata },
      { tag: 'reset', messageStream: 'logins', metadata },
    ],
  )
})

test('Better Auth only logs what a callback throws', async () => {
  const logged = []
  const auth = createAuth(sandbox.url, {
    database: memoryAdapter({ user: [], session: [], account: [], verification: [] }),
    secret,
    baseURL: 'http://localhost',
    logger: { log: (...line) => logged.push(line.map(String).join(' ')) },
    emailVerification: {
      sendOnSignUp: true,
      sendVerificationEmail: async () => {
        throw new Error('The email was not sent')
      },
    },
  })
  const body = { name: 'Ann', email: 'ann@example.com', password: 'correct horse battery' }
  const { user } = await auth.api.signUpEmail({ body })
  assert.equal(user.email, 'ann@example.com')
  assert.match(logged.join(), /The email was not sent/)
})
