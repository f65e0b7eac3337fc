import { createHmac } from 'node:crypto'
import type { Login } from './credentials.js'
import { answerDigest } from './digest-md5.js'

/** Mechanisms in the order of choice. */
const OVER_TLS = ['PLAIN', 'LOGIN', 'CRAM-MD5', 'DIGEST-MD5'] as const
/** Without TLS the token must not cross the wire, so a challenge it must be. */
const IN_CLEAR: readonly AuthMethod[] = ['DIGEST-MD5', 'CRAM-MD5']

/** A SASL mechanism that this package speaks. */
export type AuthMethod = (typeof OVER_TLS)[number]

/** All of them. */
export const AUTH_METHODS: readonly AuthMethod[] = OVER_TLS

/** What Nodemailer hands to a handler of `customAuth`. */
interface AuthContext {
  /** What EHLO offers, as far as Nodemailer knows it: not DIGEST-MD5. */
  readonly authMethods: readonly string[]
  sendCommand(
    command: string,
  ): Promise<{ readonly status: number; readonly text: string; readonly response: string }>
}

/** What a handler needs to know. */
export interface AuthSettings {
  readonly tls: boolean
  readonly host: string
  readonly method: AuthMethod | undefined
  /** Fetches the login; it is called at each login and kept nowhere. */
  login(): Promise<Login>
  /** Told of the reply that refused a login: where the server hangs up at once, Nodemailer 10 forgets it. */
  onRefused(reply: { readonly response: string; readonly responseCode: number }): void
}

/**
 * Makes the one handler that logs in, with the mechanism that is safe and offered. Nodemailer itself gets no
 * credential: it writes what stands in its `auth` option to its log, and answers DIGEST-MD5 with PLAIN.
 */
export function createAuthHandler({ tls, host, method: wanted, login, onRefused }: AuthSettings) {
  return async (context: AuthContext): Promise<void> => {
    const safe = (tls ? OVER_TLS : IN_CLEAR).filter((name) => wanted === undefined || name === wanted)
    const find = (offered: readonly string[]) => safe.find((name) => offered.includes(name))
    const known = find(context.authMethods)
    const offered = known ? context.authMethods : await askForMethods(context)
    const method = known ?? find(offered)
    if (!method) throw noMethodError(offered, safe.length > 0 ? safe : IN_CLEAR, tls)
    const { user, pass } = await login()
    const reply = await MECHANISMS[method](context, user, pass, host)
    if (reply.status === 235) return
    onRefused({ response: reply.response, responseCode: reply.status })
    throw new Error(`Login refused (${method})`)
  }
}

/** Asks again with EHLO where Nodemailer's list has nothing that will do: it leaves out what it does not speak itself. */
async function askForMethods({ sendCommand }: AuthContext): Promise<readonly string[]> {
  const { response } = await sendCommand('EHLO [127.0.0.1]')
  const lines = response.matchAll(/^250[ -]AUTH[ =](.*)$/gim)
  return [...lines].flatMap(([, list = '']) => list.trim().toUpperCase().split(/\s+/))
}

function noMethodError(offered: readonly string[], safe: readonly AuthMethod[], tls: boolean): Error {
  const list = offered.length > 0 ? [...new Set(offered)].join(', ') : 'no mechanism'
  return new Error(
    `The server offers ${list}; ${tls ? 'with' : 'without'} TLS it takes ${safe.join(' or ')}. No credential was sent`,
  )
}

type Reply = Awaited<ReturnType<AuthContext['sendCommand']>>
type Mechanism = (context: AuthContext, user: string, pass: string, host: string) => Promise<Reply>

const MECHANISMS: Readonly<Record<AuthMethod, Mechanism>> = {
  // RFC 4616, with the initial response: one round trip.
  PLAIN: ({ sendCommand }, user, pass) => sendCommand(`AUTH PLAIN ${toBase64(`\0${user}\0${pass}`)}`),
  LOGIN: async ({ sendCommand }, user, pass) => {
    const first = await sendCommand('AUTH LOGIN')
    if (first.status !== 334) return first
    const second = await sendCommand(toBase64(user))
    return second.status === 334 ? sendCommand(toBase64(pass)) : second
  },
  // RFC 2195: the token itself is not sent.
  'CRAM-MD5': async ({ sendCommand }, user, pass) => {
    const challenge = await sendCommand('AUTH CRAM-MD5')
    if (challenge.status !== 334) return challenge
    const digest = createHmac('md5', pass).update(Buffer.from(challenge.text, 'base64')).digest('hex')
    return sendCommand(toBase64(`${user} ${digest}`))
  },
  'DIGEST-MD5': async ({ sendCommand }, user, pass, host) => {
    const challenge = await sendCommand('AUTH DIGEST-MD5')
    if (challenge.status !== 334) return challenge
    const answer = answerDigest(fromBase64(challenge.text), { user, pass, uri: `smtp/${host}` })
    const proof = await sendCommand(toBase64(answer.response))
    if (proof.status !== 334) return proof
    if (!answer.verify(fromBase64(proof.text)))
      throw new Error('The server could not prove that it knows the token (DIGEST-MD5, rspauth)')
    return sendCommand('')
  },
}

function toBase64(text: string): string {
  return Buffer.from(text).toString('base64')
}

function fromBase64(text: string): string {
  return Buffer.from(text.trim(), 'base64').toString('latin1')
}
