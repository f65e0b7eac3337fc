import { generate } from 'selfsigned'

/** A self-signed certificate and its key, in PEM. */
export interface Certificate {
  readonly cert: string
  readonly key: string
}

const HOUR_MS = 3_600_000

let made: Promise<Certificate> | undefined

/** The certificate of this process for localhost and 127.0.0.1, created at the first call. */
export function loopbackCertificate(): Promise<Certificate> {
  made ??= makeCertificate('localhost', '127.0.0.1')
  return made
}

/** How a certificate differs from the usual one. */
export interface CertificateOptions {
  /** Additional names. */
  readonly names?: readonly string[]
  readonly notBefore?: Date
  /** Default: a year from now. */
  readonly notAfter?: Date
}

/** Creates a certificate for a name and, if given, an address. */
export async function makeCertificate(
  name: string,
  ip?: string,
  { names = [], notBefore = new Date(Date.now() - HOUR_MS), notAfter }: CertificateOptions = {},
): Promise<Certificate> {
  // An elliptic key takes milliseconds, an RSA key up to a second.
  const pems = await generate([{ name: 'commonName', value: name }], {
    keyType: 'ec',
    algorithm: 'sha256',
    notBeforeDate: notBefore,
    ...(notAfter && { notAfterDate: notAfter }),
    extensions: [
      { name: 'basicConstraints', cA: false, critical: true },
      { name: 'keyUsage', digitalSignature: true, critical: true },
      { name: 'extKeyUsage', serverAuth: true },
      {
        name: 'subjectAltName',
        altNames: [
          { type: 2, value: name },
          ...names.map((value) => ({ type: 2 as const, value })),
          ...(ip === undefined ? [] : [{ type: 7 as const, ip }]),
        ],
      },
    ],
  })
  return { cert: pems.cert, key: pems.private }
}
