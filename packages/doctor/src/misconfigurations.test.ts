import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { attachPostmark, createPostmarkTransport } from '@postmark-smtp/core'
import { startSandbox } from '@postmark-smtp/sandbox'
import { makeCertificate, postfixMissing, startPostfix } from '@postmark-smtp/testing'
import { createTransport } from 'nodemailer'
import { afterAll, afterEach, describe, expect, it, vi } from 'vitest'
import { CHECKS } from './checks/all-checks.js'
import { runCli } from './cli/run-cli.js'
import { beginExamination } from './examination.js'
import type { ExamineOptions, Finding } from './index.js'
import { collect as collectFindings, kindsOf, leaksIn } from './testing/collect.js'
import type { Zone } from './testing/dns-server.js'
import { startEndpoint } from './testing/scripted-api.js'
import {
  ACCOUNT_TOKEN,
  DOMAIN,
  DOMAIN_DETAILS,
  OTHER_TOKEN,
  rightCertificate,
  SECRETS,
  SERVER,
  SERVER_TOKEN,
  type SetUp,
  STREAMS,
  startSetUp,
  WEBHOOK,
} from './testing/set-up.js'
import { startSilentPort } from './testing/silent-port.js'

const cleanup: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of cleanup.splice(0).reverse()) await close()
})

/** Everything that was printed or handed out by any test of this file. */
const printed: string[] = []
const produced = new Set<string>()

async function collect(options: ExamineOptions): Promise<Finding[]> {
  const findings = await collectFindings(options)
  printed.push(JSON.stringify(findings))
  return findings
}

async function examineSetUp(given: SetUp): Promise<Finding[]> {
  const setUp = await startSetUp(given)
  cleanup.push(setUp.close)
  return collect(setUp.options)
}

const url = (rest: string, token = SERVER_TOKEN) => ({ options: { url: `postmark+smtp://${token}@${rest}` } })
const serverWith = (changes: object): SetUp => ({ routes: { '/server': { ...SERVER, ...changes } } })
const domainWith = (changes: object): SetUp => ({
  routes: { '/domains': { Domains: [{ ...DOMAIN, ...changes }] } },
})
const dmarc = (...TXT: string[]): SetUp => ({ zone: { '_dmarc.shop.example': { TXT } } })
const webhooksWith = (...changes: object[]): SetUp => ({
  routes: {
    '/webhooks': { Webhooks: changes.map((each) => ({ ...WEBHOOK, Url: 'http://127.0.0.1:1/', ...each })) },
  },
})
const unknownHost = async (): Promise<never> => {
  throw Object.assign(new Error('getaddrinfo ENOTFOUND'), { code: 'ENOTFOUND' })
}
const recordsWith = (details: object, zone: Zone = {}): SetUp => ({
  routes: { '/domains/3': { ...DOMAIN_DETAILS, ...details } },
  zone,
})
const KEY_NAME = DOMAIN_DETAILS.DKIMHost
const REFUSED = { auth: '535 5.7.8 Error: authentication failed: ' }
const DAY_MS = 86_400_000

/** Each is produced for real: the kinds that it must name, and how the set-up differs from the right one. */
const CASES: readonly (readonly [string[], string, SetUp | (() => Promise<SetUp>)])[] = [
  [['url-unreadable'], 'a URL with another scheme', { options: { url: `smtp://${SERVER_TOKEN}@default` } }],
  [['url-unreadable'], 'a URL with an unknown parameter', url('default?streem=news')],
  [['credentials-shape'], 'a placeholder', url('default', 'YOUR-TOKEN')],
  [['credentials-shape'], 'two UUIDs', url('default', `${SERVER_TOKEN}:${OTHER_TOKEN}`)],
  [
    ['port-without-smtp'],
    'port 465',
    { options: { url: `postmark+smtp://${SERVER_TOKEN}@smtp.postmarkapp.com:465`, ports: undefined } },
  ],
  [['login-missing'], 'neither a URL nor a token', { options: { url: undefined, accountToken: undefined } }],
  [
    ['credentials-shape'],
    'a token with a line break at its end',
    { options: { url: undefined, apiToken: `${SERVER_TOKEN}\n` } },
  ],
  [['plaintext-remote'], 'plaintext at another machine', url('mail.example.com?plaintext=1')],
  [['postmark-unknown'], 'a machine without a network', { options: { lookup: unknownHost } }],
  [
    ['port-25-blocked'],
    'port 25 only, which is closed',
    { options: { ports: [25], lookup: async () => [{ address: '127.77.7.7', family: 4 }] } },
  ],
  [
    ['address-failed'],
    'a host of whose addresses one is down',
    {
      options: {
        lookup: async () => [
          { address: '127.77.7.7', family: 4 },
          { address: '127.0.0.1', family: 4 },
        ],
      },
    },
  ],
  [
    ['other-host-closed'],
    'a firewall that lets only one host through',
    {
      options: {
        lookup: async (host) => [
          { address: host === 'smtp.postmarkapp.com' ? '127.0.0.1' : '127.77.7.7', family: 4 },
        ],
      },
    },
  ],
  [
    ['port-without-tls'],
    'a firewall that hides STARTTLS on one port',
    { otherPorts: [{ ehlo: ['smtp.postmarkapp.com', 'AUTH PLAIN'] }] },
  ],
  [
    ['host-unknown'],
    'a host that does not exist',
    {
      options: {
        url: `postmark+smtp://${SERVER_TOKEN}@smtp.postmarkap.example`,
        lookup: unknownHost,
      },
    },
  ],
  [
    ['dns-silent'],
    'a system that finds no names',
    {
      options: {
        lookup: async () => {
          throw Object.assign(new Error('getaddrinfo EAI_AGAIN'), { code: 'EAI_AGAIN' })
        },
      },
    },
  ],
  [['dns-private'], 'a split DNS', { zone: { 'smtp.postmarkapp.com': { A: ['10.0.0.5'] } } }],
  [
    ['dns-private'],
    'an entry in the hosts file',
    {
      options: {
        patienceMs: 500,
        lookup: async () => [
          { address: '169.254.7.7', family: 4 },
          { address: '127.0.0.1', family: 4 },
        ],
      },
    },
  ],
  [['resolver-silent'], 'name servers that do not answer', { dns: { isSilent: true } }],
  [['no-port'], 'a server that hangs up on every port', { smtp: { hangsUp: true } }],
  [['port-refused'], 'a port on which nothing listens', { otherPorts: [1] }],
  [
    ['port-mute'],
    'a port that does not greet',
    { otherPorts: [{ greeting: '' }], options: { patienceMs: 500 } },
  ],
  [['port-foreign'], 'a proxy that speaks HTTP', { otherPorts: [{ greeting: 'HTTP/1.1 400 Bad Request' }] }],
  [['port-turned-away'], 'a server that is busy', { otherPorts: [{ greeting: '554 5.7.1 No' }] }],
  [
    ['greeting-masked'],
    'a firewall that masks the greeting',
    { smtp: { greeting: '220 ******************' } },
  ],
  [
    ['port-intercepted'],
    'a provider that redirects a port',
    { otherPorts: [{}, { greeting: '220 mx.provider.example ESMTP' }] },
  ],
  [
    ['starttls-missing'],
    'STARTTLS that is left out',
    { smtp: { ehlo: ['smtp.postmarkapp.com', 'AUTH PLAIN'] } },
  ],
  [['starttls-missing'], 'STARTTLS that is refused', { smtp: { startTls: '502 5.5.1 No' } }],
  [
    ['middlebox'],
    'a firewall that masks STARTTLS',
    { smtp: { ehlo: ['smtp.postmarkapp.com', 'XXXXXXXA', 'AUTH PLAIN'] } },
  ],
  [
    ['middlebox'],
    'another server in the place of Postmark',
    { smtp: { ehlo: ['proxy.corp.example', 'AUTH PLAIN'] } },
  ],
  [
    ['certificate-expired'],
    'a certificate that has expired',
    async () => {
      const cert = await makeCertificate('smtp.postmarkapp.com', undefined, {
        names: ['smtp-broadcasts.postmarkapp.com'],
        notBefore: new Date(Date.now() - 20 * DAY_MS),
        notAfter: new Date(Date.now() - DAY_MS),
      })
      return { cert, options: { tls: { ca: cert.cert } } }
    },
  ],
  [
    ['certificate-ends-soon'],
    'a certificate that ends in a week',
    async () => {
      const cert = await makeCertificate('smtp.postmarkapp.com', undefined, {
        names: ['smtp-broadcasts.postmarkapp.com'],
        notAfter: new Date(Date.now() + 7 * DAY_MS),
      })
      return { cert, options: { tls: { ca: cert.cert } } }
    },
  ],
  [
    ['certificate-name'],
    'a certificate for another name',
    async () => {
      const cert = await makeCertificate('mx.provider.example')
      return { cert, options: { tls: { ca: cert.cert } } }
    },
  ],
  [
    ['certificate-untrusted'],
    'a certificate that nobody trusts',
    async () => ({ cert: await makeCertificate('smtp.postmarkapp.com') }),
  ],
  [
    ['tls-version'],
    'a server with TLS 1.1 only',
    async () => ({
      smtp: {
        tls: {
          ...(await rightCertificate()),
          minVersion: 'TLSv1.1',
          maxVersion: 'TLSv1.1',
          ciphers: 'DEFAULT@SECLEVEL=0',
        },
      },
    }),
  ],
  [
    ['tls-failed'],
    'a handshake that fails',
    { smtp: { tls: { ciphers: 'ECDHE-RSA-AES128-GCM-SHA256', maxVersion: 'TLSv1.2' } } },
  ],
  [
    ['no-auth'],
    'a relay without a login',
    { smtp: { ehlo: ['smtp.postmarkapp.com', 'STARTTLS', 'PIPELINING'] } },
  ],
  [
    ['no-pipelining'],
    'a relay without PIPELINING',
    { smtp: { ehlo: ['smtp.postmarkapp.com', 'STARTTLS', 'AUTH PLAIN'] } },
  ],
  [
    ['size-small'],
    'a relay with a small limit',
    { smtp: { ehlo: ['smtp.postmarkapp.com', 'STARTTLS', 'PIPELINING', 'SIZE 1000000', 'AUTH PLAIN'] } },
  ],
  [
    ['account-token'],
    'an account token',
    {
      smtp: REFUSED,
      ...url('default', ACCOUNT_TOKEN),
      routes: { '/servers': { TotalCount: 1, Servers: [] } },
    },
  ],
  [
    ['smtp-off', 'server-smtp-off'],
    'SMTP that is switched off',
    { smtp: REFUSED, ...serverWith({ SmtpApiActivated: false }) },
  ],
  [
    ['wrong-token', 'api-token-refused'],
    'a token that was revoked',
    { smtp: REFUSED, ...url('default', OTHER_TOKEN) },
  ],
  [
    ['user-is-not-password'],
    'a password that is not the user name',
    { smtp: REFUSED, ...url('default', `${SERVER_TOKEN}:hunter22`) },
  ],
  [
    ['smtp-token-refused'],
    'an SMTP token that was revoked',
    { smtp: REFUSED, ...url('default', `PM-T-outbound-4f1c:${OTHER_TOKEN}`) },
  ],
  [['login-refused'], 'a login that REST cannot explain', { smtp: REFUSED }],
  [['login-deferred'], 'a login that is put off', { smtp: { auth: '454 4.7.0 Try again later' } }],
  [['api-unreachable'], 'an API that nobody can reach', { options: { apiUrl: 'http://127.0.0.1:1' } }],
  [
    ['error-hooks-off'],
    'hooks of refused emails that are off',
    serverWith({ EnableSmtpApiErrorHooks: false }),
  ],
  [['sandbox-server'], 'a sandbox server', serverWith({ DeliveryType: 'Sandbox' })],
  [['stream-missing'], 'the name of a stream in place of its ID', url('default?stream=broadcasts')],
  [['stream-archived'], 'an archived stream', url('default?stream=old')],
  [['stream-inbound'], 'an inbound stream', url('default?stream=inbound')],
  [
    ['token-of-other-stream'],
    'an SMTP token of another stream',
    {
      options: {
        url: `postmark+smtp://PM-T-news-4f1c:${OTHER_TOKEN}@default?stream=outbound`,
        apiToken: SERVER_TOKEN,
      },
    },
  ],
  [['wrong-host'], 'a broadcasts stream without its type', url('default?stream=news')],
  [['account-token-refused'], 'an account token that is refused', { options: { accountToken: OTHER_TOKEN } }],
  [['from-unknown'], 'a domain that was never added', { routes: { '/domains': { Domains: [] } } }],
  [
    ['from-unconfirmed', 'dkim-unverified'],
    'a signature that nobody confirmed',
    {
      routes: {
        '/domains': { Domains: [{ ...DOMAIN, DKIMVerified: false }] },
        '/senders': { SenderSignatures: [{ EmailAddress: 'shop@shop.example', Confirmed: false }] },
      },
    },
  ],
  [['dkim-unverified'], 'DKIM that is not verified', domainWith({ DKIMVerified: false })],
  [
    ['return-path-unverified'],
    'a Return-Path that is not verified',
    domainWith({ ReturnPathDomainVerified: false }),
  ],
  [
    ['dmarc-unaligned'],
    'an enforced DMARC policy without DKIM',
    domainWith({ DKIMVerified: false, ReturnPathDomainVerified: false }),
  ],
  [['records-unread'], 'records that nobody answers for', { zone: { 'shop.example': { fails: true } } }],
  [['dkim-record-gone'], 'a DKIM record that was removed', recordsWith({}, { [KEY_NAME]: {} })],
  [
    ['dkim-record-gone'],
    'a DKIM record that was changed',
    recordsWith({}, { [KEY_NAME]: { TXT: ['k=rsa; p=MIGf'] } }),
  ],
  [
    ['dkim-record-missing'],
    'a second DKIM record that was not published',
    recordsWith({ DKIMPendingHost: 'new._domainkey.shop.example', DKIMPendingTextValue: 'k=rsa;p=AAAA' }),
  ],
  [
    ['dkim-record-doubled'],
    'a DKIM record whose name has the domain twice',
    recordsWith(
      { DKIMVerified: false },
      { [KEY_NAME]: {}, [`${KEY_NAME}.shop.example`]: { TXT: [DOMAIN_DETAILS.DKIMTextValue] } },
    ),
  ],
  [
    ['dkim-record-differs'],
    'a DKIM record that was cut',
    recordsWith({ DKIMVerified: false }, { [KEY_NAME]: { TXT: ['k=rsa; p=MIGfMA0GCSqG'] } }),
  ],
  [['dkim-record-unasked'], 'a DKIM record that Postmark has not seen', recordsWith({ DKIMVerified: false })],
  [
    ['return-path-record-missing'],
    'a Return-Path without its CNAME',
    recordsWith({}, { 'pm-bounces.shop.example': { A: ['192.0.2.7'] } }),
  ],
  [
    ['return-path-record-differs'],
    'a Return-Path that points to another service',
    recordsWith({}, { 'pm-bounces.shop.example': { CNAME: ['bounces.other.example'] } }),
  ],
  [['spf-twice'], 'two SPF records', { zone: { 'shop.example': { TXT: ['v=spf1 -all', 'v=spf1 ~all'] } } }],
  [['dmarc-missing'], 'no DMARC record', dmarc()],
  [['dmarc-twice'], 'two DMARC records', dmarc('v=DMARC1; p=none', 'v=DMARC1; p=reject')],
  [['dmarc-invalid'], 'a DMARC record without a policy', dmarc('v=DMARC1; rua=mailto:x@shop.example')],
  [['webhooks-missing'], 'no webhook for the stream', webhooksWith({ MessageStream: 'broadcast' })],
  [
    ['webhook-triggers'],
    'a webhook for deliveries only',
    webhooksWith({ Triggers: { Delivery: { Enabled: true } } }),
  ],
  [
    ['webhook-content'],
    'a webhook without content',
    webhooksWith({ Triggers: { ...WEBHOOK.Triggers, Bounce: { Enabled: true } } }),
  ],
  [['webhook-open'], 'a webhook without a secret', webhooksWith({ HttpAuth: null })],
  [['webhook-in-clear'], 'a webhook without TLS', webhooksWith({ Url: 'http://hooks.invalid/postmark' })],
  [
    ['webhook-paused'],
    'an event type that is paused',
    { routes: { '/webhooks/7/statistics': { Statuses: { Bounce: 'paused' }, MetricsByTrigger: {} } } },
  ],
  [
    ['webhook-failing'],
    'posts that fail',
    {
      routes: {
        '/webhooks/7/statistics': {
          MetricsByTrigger: { Bounce: { TotalRequests: 9, FailureCount: 2, RetryCount: 3 } },
        },
      },
    },
  ],
  [
    ['webhook-unverified'],
    'a test post that is refused',
    {
      options: { verifyWebhooks: true },
      routes: {
        '/webhooks/7/verify': {
          Success: false,
          Results: [{ TriggerType: 'Bounce', Success: false, StatusCode: 401 }],
        },
      },
    },
  ],
  [['path-unreachable'], 'an application that is down', webhooksWith({})],
  [['path-missing'], 'a path that is not there', { endpointStatus: 404 }],
  [['path-unguarded'], 'an endpoint without authentication', { endpointStatus: 200 }],
  [['path-odd'], 'an endpoint that fails', { endpointStatus: 502 }],
  [
    ['recipient-suppressed'],
    'a suppressed recipient',
    {
      options: { sendTo: 'Ann@example.com' },
      routes: {
        '/message-streams/outbound/suppressions/dump': {
          Suppressions: [{ EmailAddress: 'ann@example.com', SuppressionReason: 'HardBounce' }],
        },
      },
    },
  ],
  [
    ['mails-refused'],
    'emails that were refused',
    {
      routes: {
        '/bounces': {
          TotalCount: 1,
          Bounces: [
            {
              ID: 9,
              Type: 'SMTPApiError',
              TypeCode: 100007,
              Description: 'ErrorCode: 400',
              Email: 'ann@example.com',
              BouncedAt: new Date().toISOString(),
              DumpAvailable: false,
            },
          ],
        },
      },
    },
  ],
  [
    ['nodemailer-old', 'core-twice'],
    'an application with an old Nodemailer and two copies of core',
    async () => {
      const folder = await mkdtemp(join(tmpdir(), 'doctor-'))
      cleanup.push(() => rm(folder, { recursive: true }))
      const install = async (path: string, version: string) => {
        await mkdir(join(folder, 'node_modules', path), { recursive: true })
        await writeFile(join(folder, 'node_modules', path, 'package.json'), JSON.stringify({ version }))
      }
      await install('nodemailer', '6.9.16')
      await install('@postmark-smtp/core', '1.0.0')
      await install('@postmark-smtp/nestjs/node_modules/@postmark-smtp/core', '1.1.0')
      return { options: { folder } }
    },
  ],
  [['clock-skew'], 'a clock that is five minutes slow', { api: { aheadMs: 300_000 } }],
  [
    ['mail-failed'],
    'an email that is refused',
    { options: { sendTo: 'ann@example.com' }, smtp: { dot: '554 5.7.1 No' } },
  ],
]

describe('the doctor', () => {
  it.each(CASES)('names %j: %s', async (kinds, _what, setUp) => {
    const findings = await examineSetUp(typeof setUp === 'function' ? await setUp() : setUp)
    for (const kind of kinds) produced.add(kind)
    expect(kindsOf(findings)).toEqual(expect.arrayContaining(kinds))
    for (const { kind, cause, cure, link } of findings)
      if (kind !== undefined)
        expect([cause, cure, link].every((text) => text !== '' && text !== undefined)).toBe(true)
  })

  it('names a port that a firewall drops', async () => {
    const silent = await startSilentPort()
    cleanup.push(silent.close)
    const findings = await examineSetUp({ otherPorts: [silent.port], options: { patienceMs: 1_000 } })
    expect(kindsOf(findings)).toEqual(['port-silent', 'port-silent'])
    produced.add('port-silent')
  })

  it('examines the rest too where SMTP is switched off', async () => {
    const findings = await examineSetUp({ smtp: REFUSED, ...serverWith({ SmtpApiActivated: false }) })
    expect(kindsOf(findings)).toEqual(['smtp-off', 'server-smtp-off'])
    expect(findings.flatMap(({ level, check }) => (level === 'skipped' ? [check] : []))).toEqual(['send'])
  })

  it('names an old Node', async () => {
    vi.stubGlobal('process', Object.create(process, { version: { value: 'v18.20.4' } }))
    try {
      expect(kindsOf(await examineSetUp({}))).toEqual(['node-old'])
      produced.add('node-old')
    } finally {
      vi.unstubAllGlobals()
    }
  })

  it('names a transporter without our plugin, and a plugin that was put after ours', async () => {
    const bare = createTransport({ jsonTransport: true })
    expect(kindsOf(await examineSetUp({ options: { transporter: bare } }))).toEqual(['plugin-missing'])
    const attached = attachPostmark(createTransport({ jsonTransport: true }))
    attached.use('compile', (_mail, done) => done())
    expect(kindsOf(await examineSetUp({ options: { transporter: attached } }))).toEqual([])
    const { _userPlugins } = attached as unknown as { _userPlugins: { compile: unknown[] } }
    _userPlugins.compile.push(() => {})
    expect(kindsOf(await examineSetUp({ options: { transporter: attached } }))).toEqual(['plugin-not-last'])
    for (const kind of ['plugin-missing', 'plugin-not-last']) produced.add(kind)
  })

  it('sees a transporter of createPostmarkTransport as one with our plugin', async () => {
    const transporter = createPostmarkTransport({ serverToken: SERVER_TOKEN })
    cleanup.push(() => transporter.close())
    expect(kindsOf(await examineSetUp({ options: { transporter } }))).toEqual([])
  })

  it('raises no alarm where everything is right', async () => {
    const findings = await examineSetUp({})
    expect(kindsOf(findings)).toEqual([])
    expect(findings.flatMap(({ level, check }) => (level === 'skipped' ? [check] : []))).toEqual(['send'])
  })

  it('raises no alarm for a broadcasts stream whose type the URL says', async () => {
    const setUp = webhooksWith({ MessageStream: 'news', Url: 'https://127.0.0.1:1/' })
    const findings = await examineSetUp({ ...setUp, ...url('default?stream=news&type=broadcasts') })
    expect(kindsOf(findings)).toEqual(['path-unreachable'])
    expect(findings.find(({ check }) => check === 'stream-host')?.text).toContain('smtp-broadcasts')
  })

  it('raises no alarm at a sandbox that is set up as it should be, and sends nothing', async () => {
    const endpoint = await startEndpoint(401)
    cleanup.push(endpoint.close)
    await using sandbox = await startSandbox({
      serverToken: SERVER_TOKEN,
      settings: { enableSmtpApiErrorHooks: true },
      webhooks: [
        {
          url: endpoint.url,
          basicAuth: { username: 'postmark', password: 'hook-5e7a9c1b2d' },
          triggers: {
            Bounce: { enabled: true, includeContent: true },
            SpamComplaint: { enabled: true, includeContent: true },
            SubscriptionChange: true,
          },
        },
      ],
    })
    const findings = await collect({ url: sandbox.url, apiUrl: sandbox.apiUrl, limitMs: 60_000 })
    expect(kindsOf(findings)).toEqual([])
    expect(sandbox.outbox).toEqual([])
  })

  it('sends one email where --send-to is given', async () => {
    await using sandbox = await startSandbox({ serverToken: SERVER_TOKEN })
    const findings = await collect({
      url: sandbox.url,
      from: 'shop@example.com',
      sendTo: 'ann@example.com',
      resolver: { resolveTxt: async () => [], resolve4: async () => ['50.31.205.201'] } as never,
    })
    expect(findings.at(-1)).toMatchObject({ check: 'send', level: 'fine' })
    const mail = await sandbox.waitFor({ to: 'ann@example.com', tag: 'doctor' })
    expect(mail.subject).toBe('Test email from postmark-doctor')
    expect(sandbox.outbox).toHaveLength(1)
  })

  const missing = postfixMissing()
  it.skipIf(missing !== undefined && process.env.REQUIRE_REAL_PARTS !== '1')(
    'examines a real Postfix, and tells a right login from a wrong one',
    async () => {
      await using postfix = await startPostfix({ users: [{ user: SERVER_TOKEN, pass: SERVER_TOKEN }] })
      const at = (token: string) => ({
        url: `postmark+smtp://${token}@localhost:${postfix.port}`,
        tls: { ca: postfix.ca },
        lookup: async () => [{ address: '127.0.0.1', family: 4 }],
        limitMs: 60_000,
      })
      expect(kindsOf(await collect(at(SERVER_TOKEN)))).toEqual([])
      expect(kindsOf(await collect(at(OTHER_TOKEN)))).toEqual(['login-refused'])
      await using plain = await startPostfix({
        users: [{ user: SERVER_TOKEN, pass: SERVER_TOKEN }],
        tls: false,
      })
      const findings = await collect({
        ...at(SERVER_TOKEN),
        url: `postmark+smtp://${SERVER_TOKEN}@localhost:${plain.port}`,
      })
      expect(kindsOf(findings)).toEqual(['starttls-missing'])
    },
  )

  it('ends by its own limit where everything is blocked, and says what it could not do', async () => {
    const never = () => new Promise<never>(() => {})
    const findings = await examineSetUp({
      smtp: { greeting: '' },
      dns: { isSilent: true },
      api: { isSilent: true },
      options: { limitMs: 400, patienceMs: 300, lookup: never },
    })
    expect(kindsOf(findings)).toContain('dns-silent')
    expect(findings.some(({ incomplete }) => incomplete)).toBe(true)
    expect(findings.map(({ check }) => check)).toEqual(expect.arrayContaining(CHECKS.map(({ id }) => id)))
  })

  it('asks no question for longer than a quarter of its limit unless it is told to', async () => {
    const examination = beginExamination({})
    expect(examination.patienceMs).toBeLessThan(15_000 / 3)
    examination.end()
    expect(examination.signal.aborted).toBe(true)
  })
})

describe('the command', () => {
  async function run(args: string[], env: Record<string, string> = {}, options: ExamineOptions = {}) {
    const out: string[] = []
    const err: string[] = []
    const code = await runCli(args, {
      stdout: { write: (text) => out.push(text) },
      stderr: { write: (text) => err.push(text) },
      env,
      stdin: Readable.from([]),
      folder: tmpdir(),
      version: '1.2.3',
      options,
    })
    printed.push(...out, ...err)
    return { code, out: out.join(''), err: err.join('') }
  }

  it('exits with 0 where all is well, and with 1 where there is a fault', async () => {
    const right = await startSetUp()
    cleanup.push(right.close)
    const { url: given, accountToken, folder: _, ...options } = right.options
    const env = { POSTMARK_URL: given!, POSTMARK_ACCOUNT_TOKEN: accountToken! }
    const { code, out, err } = await run([], env, options)
    expect([code, err]).toEqual([0, ''])
    expect(out).toMatch(/^✔ Connection URL: .*\n/)
    expect(out).toMatch(/\n0 faults, 0 warnings\.\n$/)
    const broken = await startSetUp({ smtp: REFUSED })
    cleanup.push(broken.close)
    const fault = await run(['--json'], env, { ...broken.options, url: given })
    expect(fault.code).toBe(1)
    const lines = fault.out
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Finding)
    expect(kindsOf(lines)).toContain('login-refused')
  })

  it.each([
    [['--no-such-flag']],
    [['--time-limit', 'soon']],
    [['--time-limit', '601']],
    [['--send-to', 'ann@example.com']],
    [['postmark+smtp://a@default', 'postmark+smtp://b@default']],
  ])('exits with 2 for wrong usage: %j', async (args) => {
    const { code, err, out } = await run(args)
    expect([code, out]).toEqual([2, ''])
    expect(err).not.toBe('')
  })

  it('exits with 2 where time was over before a fault was found', async () => {
    const setUp = await startSetUp({ api: { isSilent: true } })
    cleanup.push(setUp.close)
    const { code, out } = await run([], {}, { ...setUp.options, limitMs: 1_500, patienceMs: 60_000 })
    expect(code).toBe(2)
    expect(out).toMatch(/not everything could be examined\.\n$/)
  })

  it('warns of a token on the command line, and quotes it nowhere', async () => {
    const args = [
      '--api-token',
      SERVER_TOKEN,
      '--account-token',
      ACCOUNT_TOKEN,
      `postmark+smtp://${OTHER_TOKEN}@default`,
    ]
    const setUp = await startSetUp({ smtp: REFUSED })
    cleanup.push(setUp.close)
    const { url: _url, accountToken: _account, ...options } = setUp.options
    const { err } = await run(args, {}, options)
    expect(err.match(/Set POSTMARK_\w+ instead/g)).toHaveLength(3)
  })

  it('prints help and version', async () => {
    expect((await run(['--help'])).out).toMatch(/^Usage: npx @postmark-smtp\/doctor/)
    expect((await run(['--version'])).out).toBe('1.2.3\n')
  })
})

afterAll(() => {
  // A run of a single test has produced less.
  if (produced.size < 25) return
  const untested = CHECKS.flatMap(({ kinds }) =>
    Object.entries(kinds).flatMap(([kind, { untested: why }]) => (why ? [kind] : [])),
  )
  const all = CHECKS.flatMap(({ kinds }) => Object.keys(kinds))
  const left = all.filter((kind) => !produced.has(kind) && !untested.includes(kind))
  expect(left, 'kinds that no test produces').toEqual([])
  expect(leaksIn(printed.join('\n'), SECRETS)).toEqual([])
  expect(STREAMS.MessageStreams).toHaveLength(5)
})
