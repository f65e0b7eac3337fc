import { expect, it } from 'vitest'
import { type SandboxOptions, startSandbox } from './sandbox.js'
import { makeCertificate } from './smtp/certificate.js'

const smtpToken = { accessKey: 'PM-T-x', secretKey: 'secret', stream: 'outbound' }

it.each<[string, object, string]>([
  ['an unknown option', { sender: [] }, 'Did you mean "senders"?'],
  ['a port that is no number', { port: '2525' }, 'Option port is "2525"; it must be a number.'],
  ['ports that are no list', { ports: 587 }, 'Option ports'],
  ['an empty token', { serverToken: '' }, 'Option serverToken is ""'],
  [
    'an unknown key of an SMTP token',
    { smtpTokens: [{ ...smtpToken, secretkey: 'x' }] },
    'Did you mean "secretKey"?',
  ],
  [
    'an SMTP token without its secret',
    { smtpTokens: [{ ...smtpToken, secretKey: '' }] },
    'smtpTokens.secretKey',
  ],
  [
    'an SMTP token of an unknown stream',
    { smtpTokens: [{ ...smtpToken, stream: 'news' }] },
    'Option smtpTokens.stream is "news"; it must be one of outbound, broadcast, inbound.',
  ],
  ['a stream with a bad ID', { streams: ['Receipts'] }, 'Option streams is "Receipts"; it must be an ID'],
  ['a stream with a reserved ID', { streams: ['pm-x'] }, 'Option streams is "pm-x"'],
  [
    'a stream of a bad type',
    { streams: [{ id: 'a', type: 'broadcast' }] },
    'Option streams.a.type is "broadcast"',
  ],
  ['an unknown key of a stream', { streams: [{ id: 'a', kind: 'x' }] }, 'Unknown option "kind"'],
  [
    'a sender that is no address',
    { senders: ['shop'] },
    'Option senders is "shop"; it must be a domain or an address',
  ],
  ['an account in no known state', { account: 'closed' }, '"approved", "pending" or "blocked"'],
  ['an unknown setting', { settings: { trackOpen: true } }, 'Did you mean "trackOpens"?'],
  ['a setting of a wrong type', { settings: { trackOpens: 'true' } }, 'Option settings.trackOpens is "true"'],
  ['a limit that is none', { keep: { mails: 0 } }, 'Option keep.mails'],
  ['an unknown limit', { keep: { mail: 1 } }, 'Did you mean "mails"?'],
  ['a certificate that is no PEM', { tls: { cert: 'a.pem', key: 'b.pem' } }, 'Option tls.cert'],
])('refuses %s at start', async (_, options, message) => {
  const start = startSandbox(options as SandboxOptions)
  await expect(start).rejects.toMatchObject({
    code: 'ERR_POSTMARK_OPTIONS',
    message: expect.stringContaining(message),
  })
})

it('never quotes a secret', async () => {
  const tls = { ...(await makeCertificate()), key: 'my private key' }
  const start = startSandbox({ tls, smtpTokens: [{ ...smtpToken, secretKey: 's3cr3t', stream: 'none' }] })
  await expect(start).rejects.toThrow(/^((?!my private key|s3cr3t).)*$/s)
})
