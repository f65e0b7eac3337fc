import { createHmac } from 'node:crypto'
import type { Login } from './credentials.js'
import { answerDigest } from './digest-md5.js'
import type { Reply } from './reply-reader.js'

/** Mechanisms in order of preference. */
const OVER_TLS = ['PLAIN', 'LOGIN', 'CRAM-MD5', 'DIGEST-MD5'] as const
/** Without TLS the token must not be transmitted, so only challenge mechanisms are used. */
const IN_CLEAR: readonly AuthMethod[] = ['DIGEST-MD5', 'CRAM-MD5']

/** A SASL mechanism that this package supports. */
export type AuthMethod = (typeof OVER_TLS)[number]

/** All of them. */
export const AUTH_METHODS: readonly AuthMethod[] = OVER_TLS

/**
 * Writes one line of a login and waits for the reply. The note replaces the line in logs, because the line contains a
 * secret.
 */
export type Ask = (line: string, note: string) => Promise<Reply>

/** The mechanism to use, or an explanation if there is none. */
export type MechanismChoice = { readonly method: AuthMethod } | { readonly refusal: string }

/** Chooses a mechanism that is both safe and offered. */
export function chooseMechanism(
  offered: readonly string[],
  tls: boolean,
  wanted: AuthMethod | undefined,
): MechanismChoice {
  const safe = (tls ? OVER_TLS : IN_CLEAR).filter((name) => wanted === undefined || name === wanted)
  const method = safe.find((name) => offered.includes(name))
  if (method) return { method }
  const list = offered.length > 0 ? offered.join(', ') : 'no mechanism'
  const takes = (safe.length > 0 ? safe : IN_CLEAR).join(' or ')
  return {
    refusal: `The server offers ${list}; ${tls ? 'with' : 'without'} TLS this client uses ${takes}. No credential was sent`,
  }
}

/** The server did not prove that it knows the token (DIGEST-MD5, rspauth), or sent a challenge that cannot be answered. */
export class ChallengeError extends Error {}

/**
 * Logs in. Resolves to the reply that ends the login: 235, or a refusal.
 * @throws ChallengeError
 */
export function logIn(method: AuthMethod, { user, pass }: Login, host: string, ask: Ask): Promise<Reply> {
  return MECHANISMS[method](ask, user, pass, host)
}

type Mechanism = (ask: Ask, user: string, pass: string, host: string) => Promise<Reply>

const MECHANISMS: Readonly<Record<AuthMethod, Mechanism>> = {
  // RFC 4616, with the initial response: one round trip.
  PLAIN: (ask, user, pass) => ask(`AUTH PLAIN ${toBase64(`\0${user}\0${pass}`)}`, 'AUTH PLAIN (secret)'),
  LOGIN: async (ask, user, pass) => {
    const first = await ask('AUTH LOGIN', 'AUTH LOGIN')
    if (first.code !== 334) return first
    const second = await ask(toBase64(user), '(user name)')
    return second.code === 334 ? ask(toBase64(pass), '(password)') : second
  },
  // RFC 2195: the token itself is not sent.
  'CRAM-MD5': async (ask, user, pass) => {
    const challenge = await ask('AUTH CRAM-MD5', 'AUTH CRAM-MD5')
    if (challenge.code !== 334) return challenge
    const digest = createHmac('md5', pass)
      .update(Buffer.from(textOf(challenge), 'base64'))
      .digest('hex')
    return ask(toBase64(`${user} ${digest}`), '(answer to the challenge)')
  },
  'DIGEST-MD5': async (ask, user, pass, host) => {
    const challenge = await ask('AUTH DIGEST-MD5', 'AUTH DIGEST-MD5')
    if (challenge.code !== 334) return challenge
    const answer = answerChallenge(fromBase64(textOf(challenge)), user, pass, host)
    const proof = await ask(toBase64(answer.response), '(answer to the challenge)')
    if (proof.code !== 334) return proof
    if (!answer.verify(fromBase64(textOf(proof))))
      throw new ChallengeError('The server could not prove that it knows the token (DIGEST-MD5, rspauth)')
    return ask('', '(empty line)')
  },
}

function answerChallenge(challenge: string, user: string, pass: string, host: string) {
  try {
    return answerDigest(challenge, { user, pass, uri: `smtp/${host}` })
  } catch (error) {
    throw new ChallengeError((error as Error).message)
  }
}

function textOf({ lines }: Reply): string {
  return lines.at(-1) ?? ''
}

function toBase64(text: string): string {
  return Buffer.from(text).toString('base64')
}

function fromBase64(text: string): string {
  return Buffer.from(text.trim(), 'base64').toString('latin1')
}
