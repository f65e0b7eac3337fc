import { inspect } from 'node:util'
import {
  type Postfix,
  type PostfixOptions,
  postfixMissing,
  startPostfix,
  startTcpProxy,
} from '@postmark-smtp/testing'
import { afterAll, describe, expect, it } from 'vitest'
import { type AuthMethod, createPostmarkTransport, deliveryOutcome } from '../index.js'

const TOKEN = '6f1c2b1e-8a34-4d3a-9a60-2f7f6c1f0a11'
const OTHER = '0f0f0f0f-8a34-4d3a-9a60-2f7f6c1f0a11'
const KEY = { accessKey: 'PM-T-outbound-9f8e7d', secretKey: 's3cr3t,"of\\outbound"' }
const users = [
  { user: TOKEN, pass: TOKEN },
  { user: KEY.accessKey, pass: KEY.secretKey },
]
const message = { from: 'a@example.com', to: 'b@example.com', subject: 'Hello', text: 'Hello' }
const METHODS: readonly AuthMethod[] = ['PLAIN', 'LOGIN', 'CRAM-MD5', 'DIGEST-MD5']
const IN_CLEAR: readonly AuthMethod[] = ['CRAM-MD5', 'DIGEST-MD5']

const missing = postfixMissing()
const skipped = missing !== undefined && process.env.REQUIRE_REAL_PARTS !== '1'
if (skipped) console.warn(`Skipped: ${missing}`)

type Server = Omit<PostfixOptions, 'users'>

/** One Postfix of each kind: a start takes two seconds. */
const started = new Map<string, Promise<Postfix>>()
const shared = (server: Server): Promise<Postfix> => {
  const key = JSON.stringify(server)
  const postfix = started.get(key) ?? startPostfix({ ...server, users })
  started.set(key, postfix)
  return postfix
}
afterAll(async () => {
  for (const postfix of started.values()) await (await postfix).close()
})

/** A Postfix, a proxy before it that listens, and a transporter; everything that it logs is kept. */
async function setUp(server: Server, options: object = {}) {
  const postfix = await shared(server)
  const heard: Buffer[] = []
  const proxy = await startTcpProxy(postfix, { onData: (chunk) => heard.push(chunk) })
  const logged: unknown[] = []
  const write = (...entry: unknown[]) => logged.push(entry)
  const logger = {
    level: write,
    trace: write,
    debug: write,
    info: write,
    warn: write,
    error: write,
    fatal: write,
  }
  const transporter = createPostmarkTransport({
    serverToken: TOKEN,
    host: proxy.host,
    ports: [proxy.port],
    ...(server.tls === false ? { allowPlaintext: true } : { tls: { ca: postfix.ca } }),
    logger,
    ...options,
  } as Parameters<typeof createPostmarkTransport>[0])
  const end = async () => {
    await transporter.close()
    await proxy.close()
  }
  const told = (error?: unknown) =>
    inspect([logged, error], { depth: 9, showHidden: true }) + JSON.stringify(logged)
  const commands = () => Buffer.concat(heard).toString('latin1').split('\r\n')
  return { postfix, transporter, told, commands, [Symbol.asyncDispose]: end }
}

/** Who sent the email of a reply, and how he logged in, by the log of Postfix. */
async function loginOf(postfix: Postfix, response: string) {
  const id = /queued as (\w+)/.exec(response)?.[1]
  const line = await postfix.waitForLog(
    new RegExp(`${id}: client=.*, sasl_method=([\\w-]+), sasl_username=(\\S+)`),
  )
  return { method: line[1], user: line[2]?.replace('@postfix.test', '') }
}

/** A secret in each form that the protocol gives it. */
const formsOf = (user: string, pass: string) => [pass, btoa(pass), btoa(user), btoa(`\0${user}\0${pass}`)]

describe.skipIf(skipped)('Postfix with Cyrus SASL', () => {
  describe.each([true, false])('with TLS: %s', (tls) => {
    const methods = tls ? METHODS : IN_CLEAR

    it.each(methods)('takes an email after %s', async (authMethod) => {
      await using set = await setUp({ tls }, { authMethod })
      const { response } = await set.transporter.sendMail(message)
      expect(response).toMatch(/^250 2\.0\.0 Ok: \d+ bytes queued as /)
      expect(await loginOf(set.postfix, response)).toEqual({ method: authMethod, user: TOKEN })
      for (const form of formsOf(TOKEN, TOKEN)) expect(set.told()).not.toContain(form)
    })

    it.each(methods)('refuses a wrong token after %s, which nothing tells', async (authMethod) => {
      await using set = await setUp({ tls }, { authMethod, serverToken: OTHER })
      const error = await set.transporter.sendMail(message).catch((thrown: unknown) => thrown)
      expect(error).toMatchObject({ code: 'EAUTH', responseCode: 535, attempts: 1 })
      expect(deliveryOutcome(error)).toBe('not-sent')
      await set.postfix.waitForLog(new RegExp(`SASL ${authMethod} authentication failed`))
      for (const form of formsOf(OTHER, OTHER)) expect(set.told(error)).not.toContain(form)
    })

    it.each(methods)('refuses a user that it knows with a wrong password after %s', async (authMethod) => {
      const smtpToken = { ...KEY, secretKey: 'not-the-secret-key' }
      await using set = await setUp({ tls }, { authMethod, serverToken: undefined, smtpToken })
      const error = await set.transporter.sendMail(message).catch((thrown: unknown) => thrown)
      expect(error).toMatchObject({ code: 'EAUTH', responseCode: 535 })
      for (const form of formsOf(KEY.accessKey, smtpToken.secretKey))
        expect(set.told(error)).not.toContain(form)
    })

    it('takes a user name, and a password with characters that a challenge must quote', async () => {
      const options = { authMethod: 'DIGEST-MD5', serverToken: undefined, smtpToken: KEY }
      await using set = await setUp({ tls }, options)
      const { response } = await set.transporter.sendMail(message)
      expect(await loginOf(set.postfix, response)).toEqual({ method: 'DIGEST-MD5', user: KEY.accessKey })
    })

    it('gets no PLAIN where it offers DIGEST-MD5 alone', async () => {
      await using set = await setUp({ tls, mechanisms: ['DIGEST-MD5'] })
      const { response } = await set.transporter.sendMail(message)
      expect(await loginOf(set.postfix, response)).toEqual({ method: 'DIGEST-MD5', user: TOKEN })
      expect(set.commands().filter((line) => /AUTH/.test(line))).toEqual(tls ? [] : ['AUTH DIGEST-MD5'])
    })
  })

  it('gets a challenge answered in clear, though it offers PLAIN', async () => {
    await using set = await setUp({ tls: false })
    const { response } = await set.transporter.sendMail(message)
    expect((await loginOf(set.postfix, response)).method).toMatch(/-MD5$/)
    expect(set.commands().join('\n')).not.toMatch(/AUTH (PLAIN|LOGIN)/)
  })

  it('gets no login in clear where it offers only PLAIN and LOGIN', async () => {
    await using set = await setUp({ tls: false, mechanisms: ['PLAIN', 'LOGIN'] })
    await expect(set.transporter.sendMail(message)).rejects.toMatchObject({
      code: 'EAUTH',
      outcome: 'not-sent',
    })
    expect(set.commands().filter((line) => /AUTH/.test(line))).toEqual([])
  })

  it('leaves no process and no open port behind', async () => {
    const postfix = await startPostfix({ users })
    await postfix.close()
    const transporter = createPostmarkTransport({
      serverToken: TOKEN,
      host: '127.0.0.1',
      ports: [postfix.port],
      retry: { attempts: 1 },
    })
    await expect(transporter.sendMail(message)).rejects.toThrow('ECONNREFUSED')
    await transporter.close()
    await expect(postfix.waitForLog(/never logged/)).rejects.toThrow('Postfix ended')
  })
})
