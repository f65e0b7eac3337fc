import { isIP } from 'node:net'
import { createSecureContext, type SecureContext } from 'node:tls'
import { generate } from 'selfsigned'

/** A self-signed certificate and its key, in PEM. */
export interface Certificate {
  readonly cert: string
  readonly key: string
}

const DAY_MS = 86_400_000

let made: Promise<Certificate> | undefined

/** The certificate of this process for localhost and 127.0.0.1, made at the first call. */
export function loopbackCertificate(): Promise<Certificate> {
  made ??= makeCertificate()
  return made
}

let unknown: Promise<SecureContext> | undefined

/** A certificate that no client trusts, made at the first call. */
export function unknownCertificate(): Promise<SecureContext> {
  unknown ??= makeCertificate().then((certificate) => createSecureContext(certificate))
  return unknown
}

/** Makes a new certificate for localhost, 127.0.0.1, and more names and addresses. */
export async function makeCertificate(names: readonly string[] = []): Promise<Certificate> {
  // An elliptic key takes milliseconds, an RSA key up to a second.
  const pems = await generate([{ name: 'commonName', value: 'localhost' }], {
    keyType: 'ec',
    algorithm: 'sha256',
    // The clock of a client, in another container or after it was set back, may be slow.
    notBeforeDate: new Date(Date.now() - DAY_MS),
    extensions: [
      { name: 'basicConstraints', cA: false, critical: true },
      { name: 'keyUsage', digitalSignature: true, critical: true },
      { name: 'extKeyUsage', serverAuth: true },
      {
        name: 'subjectAltName',
        altNames: [
          { type: 2, value: 'localhost' },
          { type: 7, ip: '127.0.0.1' },
          ...names.map((name) =>
            isIP(name) ? ({ type: 7, ip: name } as const) : ({ type: 2, value: name } as const),
          ),
        ],
      },
    ],
  })
  return { cert: pems.cert, key: pems.private }
}
