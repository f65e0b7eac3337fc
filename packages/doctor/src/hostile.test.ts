import type { ServerResponse } from 'node:http'
import { tmpdir } from 'node:os'
import { Readable } from 'node:stream'
import { startSandbox } from '@postmark-smtp/sandbox'
import { describe, expect, it } from 'vitest'
import { runCli } from './cli/run-cli.js'
import { collect, examineSetUp, kindsOf, leaksIn } from './testing/collect.js'
import { startDns } from './testing/dns-server.js'
import { listen } from './testing/scripted-api.js'
import { ACCOUNT_TOKEN, DOMAIN, SECRETS, SERVER_TOKEN, startSetUp, WEBHOOK } from './testing/set-up.js'

const html = (status: number) => (response: ServerResponse) =>
  void response
    .writeHead(status, { 'Content-Type': 'text/html' })
    .end(`<html><body>Please sign in, ${SERVER_TOKEN}</body></html>`)

describe('an API that is not Postmark’s', () => {
  it.each([
    ['a page of HTML', html(200), 'the answer is not JSON (status 200)'],
    ['an error page', html(502), 'the answer is not JSON (status 502)'],
    [
      'an error without a message',
      (response: ServerResponse) => void response.writeHead(500).end('{}'),
      'status 500: no message',
    ],
    [
      'nothing',
      (response: ServerResponse) => void response.writeHead(200).end(),
      'the answer is not JSON (status 200)',
    ],
    ['an empty object', {}, 'the answer does not describe a server'],
    ['a list', [], 'the answer does not describe a server'],
    [
      'half an answer',
      (response: ServerResponse) => {
        response.write('{"Name": "Shop", ')
        response.destroy()
      },
      /terminated|closed|socket/,
    ],
    [
      'JSON of a size that no answer has',
      (response: ServerResponse) => {
        let megabytes = 0
        const more = () => {
          while (!response.destroyed && megabytes++ < 100 && response.write('1,'.repeat(500_000)));
          if (megabytes > 100) response.end()
        }
        response.on('drain', more).on('error', () => {})
        more()
      },
      'the answer is larger than 32 MB',
    ],
  ])('is named where it answers %s', async (_what, answer, text) => {
    const findings = await examineSetUp({
      routes: { '/server': answer },
      options: { patienceMs: 20_000 },
    })
    expect(findings.find(({ kind }) => kind === 'api-unreachable')?.text).toMatch(text)
    expect(leaksIn(JSON.stringify(findings), SECRETS)).toEqual([])
  })

  it('gets no token by a redirect', async () => {
    const seen: unknown[] = []
    const other = await listen((request, response) => {
      seen.push(request.headers)
      response.end('{}')
    })
    const findings = await examineSetUp({
      routes: {
        '*': (response: ServerResponse) => void response.writeHead(302, { Location: other.url }).end(),
        '/server': (response: ServerResponse) => void response.writeHead(307, { Location: other.url }).end(),
        '/domains': (response: ServerResponse) => void response.writeHead(301, { Location: other.url }).end(),
      },
    })
    await other.close()
    expect(kindsOf(findings)).toEqual(['api-unreachable'])
    expect(findings.find(({ check }) => check === 'sender')?.text).toContain('redirect')
    expect(seen).toEqual([])
  })

  it('is waited for no longer than the patience where its answer drips', async () => {
    const findings = await examineSetUp({
      routes: {
        '/server': (response: ServerResponse) => {
          response.write('{')
        },
      },
      options: { patienceMs: 300 },
    })
    expect(findings.find(({ check }) => check === 'server')?.text).toBe(
      'the REST API failed: no answer within 0.3 s',
    )
  })

  const odd: readonly unknown[] = [
    [],
    [null, 'x', 7],
    { Name: null, MessageStreams: 'x', Webhooks: 7, Domains: {}, Suppressions: null, Bounces: 'x' },
    {
      Name: { a: 1 },
      MessageStreams: [null, { ID: null }, { ID: 'outbound', MessageStreamType: 7 }],
      Webhooks: [null, { ID: {}, Url: 7, Triggers: 'x', MessageStream: 'outbound', HttpHeaders: [null, {}] }],
      Domains: [null, { Name: null }, { Name: DOMAIN.Name, ID: [] }],
      SenderSignatures: [{ EmailAddress: 7 }, null],
      Suppressions: [null, { EmailAddress: null }],
      TotalCount: 'x',
      Bounces: [null, { ID: {}, Type: 7 }],
      Statuses: 'x',
      MetricsByTrigger: [null, { a: 1 }],
      DKIMHost: 7,
      DKIMTextValue: {},
      ReturnPathDomain: { a: 1 },
    },
    { ErrorCode: 0, ...WEBHOOK, Triggers: null, Url: 'http://[', HttpAuth: 'x' },
  ]
  const paths = [
    ...['/server', '/message-streams', '/domains', '/domains/3', '/senders', '/webhooks'],
    ...['/webhooks/7/statistics', '/message-streams/outbound/suppressions/dump', '/bounces'],
  ]
  it.each(paths)('breaks no check where %s answers with other types', async (path) => {
    for (const answer of odd) {
      const findings = await examineSetUp({ routes: { [path]: answer as object } })
      expect(findings.filter(({ text }) => text.startsWith('the check itself failed'))).toEqual([])
    }
  })

  it('leaks no token where it echoes it in whatever form', async () => {
    const forms = [
      SERVER_TOKEN.toUpperCase(),
      encodeURIComponent(SERVER_TOKEN),
      ...['', '\0', 'xx', '\0a\0'].map((before) => btoa(before + SERVER_TOKEN)),
      Buffer.from(`\0${ACCOUNT_TOKEN}\0${ACCOUNT_TOKEN}`).toString('base64url'),
      `abc${btoa(ACCOUNT_TOKEN)}`,
    ]
    const findings = await examineSetUp({
      smtp: { auth: `535 5.7.8 ${forms.join(' ')}` },
      routes: {
        '*': (response: ServerResponse) =>
          void response.writeHead(500).end(JSON.stringify({ ErrorCode: 10, Message: forms.join(' ') })),
      },
    })
    expect(findings.filter(({ text }) => text.includes('[redacted]')).length).toBeGreaterThan(0)
    expect(leaksIn(JSON.stringify(findings), SECRETS)).toEqual([])
  })

  it.each([
    ['a token', '', 'login-refused'],
    ['a secret key', 'PM-T-outbound-4f1c:', 'smtp-token-refused'],
  ])('leaks no token where a line break in the URL cuts %s', async (_what, before, kind) => {
    const cut = `${SERVER_TOKEN.slice(0, 9)}\n${SERVER_TOKEN.slice(9)}`
    const findings = await examineSetUp({
      smtp: { auth: `535 5.7.8 ${SERVER_TOKEN}` },
      options: { url: `postmark+smtp://${before}${cut}@default` },
    })
    expect(kindsOf(findings)).toContain(kind)
    expect(leaksIn(JSON.stringify(findings), SECRETS)).toEqual([])
  })

  it('leaks no token where the server has more secrets than one remembers', async () => {
    const webhooks = Array.from({ length: 300 }, (_, ID) => ({
      ...WEBHOOK,
      ID,
      MessageStream: 'other',
      Url: 'https://127.0.0.1:1/',
      HttpAuth: { Username: 'x', Password: `password-${ID}-of-many` },
    }))
    const findings = await examineSetUp({
      routes: {
        '/webhooks': { Webhooks: webhooks },
        '/bounces': (response: ServerResponse) =>
          void response.writeHead(500).end(JSON.stringify({ Message: `${SERVER_TOKEN} password-0-of-many` })),
      },
    })
    expect(leaksIn(JSON.stringify(findings), [...SECRETS, 'password-0-of-many'])).toEqual([])
  })
})

describe('what greets', () => {
  it.each([
    ['an SSH server', 'SSH-2.0-OpenSSH_9.6', 'no-port'],
    ['a web server', 'HTTP/1.1 400 Bad Request', 'no-port'],
    ['bytes', '\u0000\u0001\u0002\u00ff', 'no-port'],
    ['a line that never ends', 'x'.repeat(100_000), 'no-port'],
    ['a server that is shutting down', '421 4.3.2 Service shutting down', 'no-port'],
    ['an escape sequence', '554 \u001b[2J\u001b[1;1Hall is well', 'no-port'],
  ])('%s is named', async (_what, greeting, kind) => {
    const findings = await examineSetUp({ smtp: { greeting }, options: { patienceMs: 1_000 } })
    expect(kindsOf(findings)).toContain(kind)
  })

  it('says what the server offers, and what the transport makes of it', async () => {
    const at = async (...offers: string[]) => {
      const ehlo = ['smtp.postmarkapp.com', 'STARTTLS', 'AUTH PLAIN', ...offers]
      const findings = await examineSetUp({ smtp: { ehlo } })
      expect(kindsOf(findings).filter((kind) => kind !== 'no-pipelining')).toEqual([])
      return findings.find(({ check, level }) => check === 'ehlo' && level === 'fine')?.text
    }
    expect(await at()).toBe(
      'smtp.postmarkapp.com: no PIPELINING, no CHUNKING, SIZE unknown, AUTH PLAIN; each command waits for its reply',
    )
    expect(await at('PIPELINING', 'SIZE 20480000')).toBe(
      'smtp.postmarkapp.com: PIPELINING, no CHUNKING, SIZE 20480000, AUTH PLAIN; each email can take a single round trip',
    )
    expect(await at('PIPELINING', 'CHUNKING')).toBe(
      'smtp.postmarkapp.com: PIPELINING, CHUNKING, SIZE unknown, AUTH PLAIN; whole emails of a batch can follow each other without waiting',
    )
  })
})

describe('names', () => {
  it('of a domain outside ASCII are compared and asked for as DNS has them', async () => {
    const findings = await examineSetUp({
      options: { from: 'shop@bücher.example' },
      routes: {
        '/domains': { Domains: [{ ...DOMAIN, Name: 'bücher.example' }] },
      },
      zone: {
        'xn--bcher-kva.example': { TXT: ['v=spf1 -all'] },
        '_dmarc.xn--bcher-kva.example': { TXT: ['v=DMARC1; p=none'] },
      },
    })
    expect(kindsOf(findings)).toEqual([])
  })

  it('that no name server knows are no alarm where it does not know Postmark either', async () => {
    const dns = await startDns({})
    await using sandbox = await startSandbox({ serverToken: SERVER_TOKEN })
    const findings = await collect({
      url: sandbox.url,
      from: 'shop@shop.example',
      resolver: dns.resolver,
      limitMs: 60_000,
    })
    await dns.close()
    expect(kindsOf(findings)).toEqual([])
    expect(findings.find(({ check }) => check === 'sender-dns')).toMatchObject({ level: 'skipped' })
  })

  it('have the policy for subdomains where the record is that of the domain above', async () => {
    const findings = await examineSetUp({
      options: { from: 'shop@mail.shop.example' },
      routes: { '/domains': { Domains: [{ ...DOMAIN, Name: 'mail.shop.example' }] } },
      zone: { '_dmarc.shop.example': { TXT: ['v=DMARC1; p=reject; sp=none'] } },
    })
    expect(kindsOf(findings)).toEqual([])
    expect(findings.map(({ text }) => text)).toContain('the DMARC policy of _dmarc.shop.example is none')
  })

  it('of which the first address is down are examined by the next one', async () => {
    const addresses = ['127.77.7.7', '127.0.0.1'].map((address) => ({ address, family: 4 }))
    const findings = await examineSetUp({ options: { lookup: async () => addresses } })
    expect(kindsOf(findings)).toEqual(['address-failed', 'address-failed'])
    expect(findings.find(({ kind }) => kind === 'address-failed')?.text).toMatch(
      /port \d+ of 127\.77\.7\.7: connection refused/,
    )
    expect(findings.find(({ check }) => check === 'login')).toMatchObject({ level: 'fine' })
  })

  it('of a host are the same in capitals', async () => {
    const url = `postmark+smtp://${SERVER_TOKEN}@SMTP.PostmarkApp.com`
    expect(kindsOf(await examineSetUp({ options: { url } }))).toEqual([])
  })

  it('of a sender that has a signature and no domain are right where it is confirmed', async () => {
    const signature = { ID: 9, EmailAddress: 'Shop@shop.example', Confirmed: true }
    const routes = { '/domains': { Domains: [] }, '/senders': { SenderSignatures: [signature] } }
    const zone = { '_dmarc.shop.example': { TXT: ['v=DMARC1; p=none'] } }
    for (const details of [undefined, { ...signature, DKIMHost: '', ReturnPathDomain: '' }]) {
      const findings = await examineSetUp({ routes: { ...routes, '/senders/9': details }, zone })
      expect(kindsOf(findings)).toEqual([])
      expect(findings.filter(({ incomplete }) => incomplete)).toEqual([])
    }
  })

  it('of which an address in IPv6 has no route are no alarm', async () => {
    const findings = await examineSetUp({
      options: {
        lookup: async () => [
          // Discard-only (RFC 6666).
          { address: '100::1', family: 6 },
          { address: '127.0.0.1', family: 4 },
        ],
        patienceMs: 500,
      },
    })
    const texts = findings.filter(({ check }) => check === 'ports').map(({ text }) => text)
    expect(texts.some((text) => text.includes('100::1'))).toBe(true)
    expect(kindsOf(findings).filter((kind) => kind !== 'address-failed')).toEqual([])
  })
})

describe('name servers', () => {
  it('that fall silent after a while are named as what they are', async () => {
    const silent = async (): Promise<never> => {
      const from = { code: 'ETIMEOUT', syscall: 'queryCname', hostname: 'pm-bounces.shop.example' }
      throw Object.assign(new Error('queryCname ETIMEOUT pm-bounces.shop.example'), from)
    }
    const setUp = await startSetUp()
    Object.assign(setUp.options.resolver!, { resolveCname: silent })
    const findings = await collect(setUp.options)
    await setUp.close()
    expect(findings.filter(({ incomplete }) => incomplete)).toMatchObject([
      {
        check: 'sender-records',
        text: 'the name servers gave no answer for pm-bounces.shop.example: ETIMEOUT',
      },
    ])
  })
})

describe('no network at all', () => {
  it('is no reason to judge the records of the sender, whoever answers for them', async () => {
    const lookup = async (): Promise<never> => {
      throw Object.assign(new Error('ENOTFOUND'), { code: 'ENOTFOUND' })
    }
    const findings = await examineSetUp({
      options: { lookup },
      zone: { '_dmarc.shop.example': {}, 'pm._domainkey.shop.example': {} },
    })
    expect(kindsOf(findings)).toEqual(['postmark-unknown', 'postmark-unknown'])
    expect(findings.find(({ check }) => check === 'sender-dns')).toMatchObject({ level: 'skipped' })
  })

  it('is named, and all that cannot be seen is skipped', async () => {
    const fail = async (): Promise<never> => {
      throw Object.assign(new Error('EAI_AGAIN'), { code: 'EAI_AGAIN' })
    }
    const findings = await examineSetUp({
      options: {
        lookup: fail,
        resolver: { resolve4: fail, resolve6: fail, resolveTxt: fail, resolveCname: fail },
        apiUrl: 'http://127.0.0.1:1',
      },
    })
    expect(kindsOf(findings)).toEqual(['dns-silent', 'dns-silent', 'api-unreachable'])
  })
})

describe('the command, where it is given odd things', () => {
  async function run(args: string[], env: Record<string, string> = {}, options: object = {}, breaksAt = -1) {
    const out: string[] = []
    const err: string[] = []
    let writes = 0
    const code = await runCli(args, {
      stdout: {
        write(text) {
          // As whatever fails in the midst: its error quotes a token.
          if (writes++ === breaksAt) throw new Error(`boom ${SERVER_TOKEN}`)
          return out.push(text)
        },
      },
      stderr: { write: (text) => err.push(text) },
      env,
      stdin: Readable.from([]),
      folder: tmpdir(),
      version: '1.2.3',
      options,
    })
    return { code, out: out.join(''), err: err.join('') }
  }

  it.each([
    ['an unknown option that is a token', `--${SERVER_TOKEN}`],
    ['a token on the command line without its value', '--api-token'],
    ['an address with a token in front of its host', '--api-url', `https://${SERVER_TOKEN}@api.example`],
    ['an address with a token in its path', '--api-url', `http://api.example/${SERVER_TOKEN}`],
    ['a sender with a name', '--from', 'Shop <shop@example.com>'],
    ['a token where a number belongs', '--time-limit', SERVER_TOKEN],
    ['a switch with a value', '--json=yes'],
  ])('prints valid JSON, and no token, for %s', async (_what, ...args) => {
    const { code, out, err } = await run(['--json', ...args])
    expect(code).toBe(2)
    expect(
      out
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line)),
    ).toMatchObject([{ check: 'doctor', level: 'skipped', incomplete: true }])
    expect(leaksIn(out + err, SECRETS)).toEqual([])
  })

  it('prints valid JSON, and no token, where it crashes in the midst', async () => {
    const setUp = await startSetUp()
    const { url, ...options } = setUp.options
    const { code, out, err } = await run(['--json'], { POSTMARK_URL: url! }, options, 4)
    await setUp.close()
    const lines = out
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as object)
    expect(lines.length).toBeGreaterThan(3)
    expect([code, err]).toEqual([2, 'The doctor failed: Error\n'])
    expect(lines.at(-1)).toMatchObject({ check: 'doctor', text: 'The doctor failed: Error' })
    expect(leaksIn(out + err, SECRETS)).toEqual([])
  })

  it('says that there is no token where the environment has empty variables', async () => {
    const setUp = await startSetUp()
    const { url: _, accountToken: __, ...options } = setUp.options
    const { out, code } = await run([], { POSTMARK_URL: '', POSTMARK_SERVER_TOKEN: '' }, options)
    await setUp.close()
    expect(code).toBe(0)
    expect(out).toMatch(/^! Connection URL: neither a URL nor a token is given/)
  })
})
