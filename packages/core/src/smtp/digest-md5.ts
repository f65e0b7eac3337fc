import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'

const md5 = (text: string) => createHash('md5').update(text, 'latin1').digest()
const hex = (bytes: Buffer) => bytes.toString('hex')

/** The answer to a DIGEST-MD5 challenge, and the check of the server's final response. */
export interface DigestAnswer {
  readonly response: string
  /** Whether the server knows the password as well. */
  verify(serverText: string): boolean
}

/**
 * Answers a DIGEST-MD5 challenge (RFC 2831, qop=auth).
 * @param login user name, password and the digest-uri, such as `smtp/smtp.postmarkapp.com`
 * @param clientNonce fixed in tests, random otherwise
 * @throws Error if the challenge cannot be read
 */
export function answerDigest(
  challenge: string,
  { user, pass, uri }: { readonly user: string; readonly pass: string; readonly uri: string },
  clientNonce: string = randomBytes(18).toString('base64'),
): DigestAnswer {
  const given = readDirectives(challenge)
  const nonce = given.get('nonce')
  if (nonce === undefined || !(given.get('qop') ?? 'auth').split(',').includes('auth')) {
    throw new Error(
      'The server\u2019s DIGEST-MD5 challenge cannot be answered: it has no nonce or no qop=auth.',
    )
  }
  const realm = given.get('realm')
  // Logins are ASCII, so the charset directive, which determines how other characters are hashed, changes nothing.
  const secret = md5(`${user}:${realm ?? ''}:${pass}`).toString('latin1')
  const a1 = hex(md5(`${secret}:${nonce}:${clientNonce}`))
  const proof = (a2: string) => hex(md5(`${a1}:${nonce}:00000001:${clientNonce}:auth:${hex(md5(a2))}`))
  const directives = [
    ...(given.get('charset') === undefined ? [] : ['charset=utf-8']),
    `username=${quote(user)}`,
    ...(realm === undefined ? [] : [`realm=${quote(realm)}`]),
    `nonce=${quote(nonce)}`,
    'nc=00000001',
    `cnonce=${quote(clientNonce)}`,
    `digest-uri=${quote(uri)}`,
    `response=${proof(`AUTHENTICATE:${uri}`)}`,
    'qop=auth',
  ]
  return {
    response: directives.join(','),
    verify: (serverText) => {
      const told = Buffer.from(readDirectives(serverText).get('rspauth') ?? '')
      const wanted = Buffer.from(proof(`:${uri}`))
      return told.length === wanted.length && timingSafeEqual(told, wanted)
    },
  }
}

/** Reads `name=value, name="quoted \" value"`. If a name occurs twice, the first one counts. */
function readDirectives(text: string): ReadonlyMap<string, string> {
  const found = new Map<string, string>()
  for (const [, name = '', quoted, plain = ''] of text.matchAll(
    /([a-z-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^,\s]*))/gi,
  )) {
    const key = name.toLowerCase()
    if (!found.has(key)) found.set(key, quoted === undefined ? plain : quoted.replace(/\\(.)/g, '$1'))
  }
  return found
}

function quote(text: string): string {
  return `"${text.replace(/["\\]/g, '\\$&')}"`
}
