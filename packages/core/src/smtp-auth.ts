import { createHmac } from 'node:crypto'
import type { Login } from './credentials.js'

/** Mechanisms in the order of choice. Without TLS the token must not cross the wire. */
const OVER_TLS = ['PLAIN', 'LOGIN', 'CRAM-MD5'] as const
const IN_CLEAR = ['CRAM-MD5'] as const

/** A SASL mechanism that this package speaks. */
export type AuthMethod = (typeof OVER_TLS)[number]

/** What Nodemailer hands to a handler of `customAuth`. */
interface AuthContext {
  readonly authMethods: readonly string[]
  sendCommand(
    command: string,
  ): Promise<{ readonly status: number; readonly text: string; readonly response: string }>
}

/**
 * Logs in with the mechanism that is safe and offered. The login is fetched here and goes nowhere else:
 * Nodemailer writes what stands in its own `auth` option to its log.
 */
export function createAuthHandler(login: () => Login, tls: boolean, wanted?: AuthMethod) {
  return async (context: AuthContext): Promise<void> => {
    const method = chooseMethod(context.authMethods, tls, wanted)
    const { user, pass } = login()
    const reply = await MECHANISMS[method](context, user, pass)
    if (reply.status !== 235)
      throw new Error(`Login refused (${method}): ${redact(reply.text, { user, pass })}`)
  }
}

type Reply = Awaited<ReturnType<AuthContext['sendCommand']>>
type Mechanism = (context: AuthContext, user: string, pass: string) => Promise<Reply>

const MECHANISMS: Readonly<Record<AuthMethod, Mechanism>> = {
  // RFC 4616, with the initial response: one round trip.
  PLAIN: ({ sendCommand }, user, pass) => sendCommand(`AUTH PLAIN ${base64(`\0${user}\0${pass}`)}`),
  LOGIN: async ({ sendCommand }, user, pass) => {
    const first = await sendCommand('AUTH LOGIN')
    if (first.status !== 334) return first
    const second = await sendCommand(base64(user))
    return second.status === 334 ? sendCommand(base64(pass)) : second
  },
  // RFC 2195: the token itself is not sent.
  'CRAM-MD5': async ({ sendCommand }, user, pass) => {
    const challenge = await sendCommand('AUTH CRAM-MD5')
    if (challenge.status !== 334) return challenge
    const digest = createHmac('md5', pass).update(Buffer.from(challenge.text, 'base64')).digest('hex')
    return sendCommand(base64(`${user} ${digest}`))
  },
}

function chooseMethod(offered: readonly string[], tls: boolean, wanted: AuthMethod | undefined): AuthMethod {
  const upper = offered.map((method) => method.toUpperCase())
  const safe: readonly AuthMethod[] = tls ? OVER_TLS : IN_CLEAR
  const method = wanted ? safe.find((name) => name === wanted) : safe.find((name) => upper.includes(name))
  if (method) return method
  const list = upper.length > 0 ? upper.join(', ') : 'no mechanism'
  throw new Error(
    `The server offers ${list}; ${tls ? 'with' : 'without'} TLS one of ${safe.join(', ')} is needed. No credential was sent.`,
  )
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64')
}

/** Takes a login out of a text, in clear and in the base64 forms that the protocol uses. */
export function redact(text: string, { user, pass }: Login): string {
  let clean = text
  for (const secret of [base64(`\0${user}\0${pass}`), base64(user), base64(pass), pass, user]) {
    clean = clean.replaceAll(secret, '[redacted]')
  }
  return clean
}
