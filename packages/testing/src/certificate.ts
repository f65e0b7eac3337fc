import { generate } from 'selfsigned'

/** A self-signed certificate and its key, in PEM. */
export interface Certificate {
  readonly cert: string
  readonly key: string
}

let made: Promise<Certificate> | undefined

/** The certificate of this process for localhost and 127.0.0.1, made at the first call. */
export function loopbackCertificate(): Promise<Certificate> {
  made ??= makeCertificate('localhost', '127.0.0.1')
  return made
}

/** Makes a certificate for a name, and an address where one is given. */
export async function makeCertificate(name: string, ip?: string): Promise<Certificate> {
  // An elliptic key takes milliseconds, an RSA key up to a second.
  const pems = await generate([{ name: 'commonName', value: name }], {
    keyType: 'ec',
    algorithm: 'sha256',
    extensions: [
      { name: 'basicConstraints', cA: false, critical: true },
      { name: 'keyUsage', digitalSignature: true, critical: true },
      { name: 'extKeyUsage', serverAuth: true },
      {
        name: 'subjectAltName',
        altNames: [{ type: 2, value: name }, ...(ip === undefined ? [] : [{ type: 7 as const, ip }])],
      },
    ],
  })
  return { cert: pems.cert, key: pems.private }
}
