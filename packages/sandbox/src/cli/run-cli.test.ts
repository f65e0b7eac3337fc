import { once } from 'node:events'
import { appendFile, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer as createHttpServer } from 'node:http'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { json } from 'node:stream/consumers'
import { createPostmarkTransport } from '@postmark-smtp/core'
import { createTransport } from 'nodemailer'
import { generate } from 'selfsigned'
import { describe, expect, it } from 'vitest'
import { seededFaults } from '../smtp/faults/seeded-faults.js'
import { parseCommand } from './command.js'
import { FLAGS, HELP, toVariable } from './flags.js'
import { runCli } from './run-cli.js'

const FREE = ['--port', '0', '--http-port', '0']

/** The command line with streams in place of a terminal. */
function start(args: string[], hasColors = () => false, environment: Record<string, string> = {}) {
  const stdout = Object.assign(new PassThrough({ encoding: 'utf8' }), { hasColors })
  const stderr = new PassThrough({ encoding: 'utf8' })
  const ending = new AbortController()
  const opened: string[] = []
  const openPage = (url: string) => void opened.push(url)
  const code = runCli(args, {
    ...{ stdout, stderr, signal: ending.signal, version: '1.2.3', environment, openPage },
  })
  let printed = ''
  /** What was printed so far, as soon as it holds the pattern. */
  const until = async (pattern: RegExp): Promise<string> => {
    while (!pattern.test(printed)) {
      const chunk: string | null = stdout.read()
      if (chunk === null) await once(stdout, 'readable')
      else printed += chunk
    }
    return printed
  }
  const end = () => {
    ending.abort()
    return code
  }
  return { until, end, code, stderr, stdout, opened }
}

/** What it printed, for a command line that ends by itself. */
async function run(...args: string[]) {
  const { code, stdout, stderr } = start(args)
  return { code: await code, out: stdout.read() ?? '', err: stderr.read() ?? '' }
}

const message = { from: 'shop@example.com', to: 'ann@example.com', subject: 'Welcome', text: 'Hi' }

it('takes an email at the URL that it prints, says so, and ends when it is told to', async () => {
  const cli = start(FREE)
  const banner = await cli.until(/Ctrl-C/)
  const [url = ''] = /postmark\+smtp:\S+/.exec(banner) ?? []
  const transporter = createPostmarkTransport(url)
  await transporter.sendMail({ ...message, postmark: { messageStream: 'broadcast', tag: 'welcome' } })
  const printed = await cli.until(/Welcome/)
  expect(printed).toMatch(/\d\d:\d\d:\d\d {2}sent {10}broadcast {2}welcome {2}ann@example\.com {2}Welcome\n$/)
  await transporter.close()
  expect(await cli.end()).toBe(0)
  const gone = connect(Number(new URL(url).port), '127.0.0.1')
  await expect(once(gone, 'connect')).rejects.toThrow('ECONNREFUSED')
})

it('says why Postmark would refuse an email, and what to do', async () => {
  const cli = start(FREE)
  const [url = ''] = /postmark\+smtp:\S+/.exec(await cli.until(/Ctrl-C/)) ?? []
  const transporter = createPostmarkTransport(url)
  await transporter.sendMail({ ...message, postmark: { messageStream: 'nowhere' } })
  expect(await cli.until(/Welcome\n.*\n.*\n/)).toMatch(
    /refused 1235 .*Welcome\n {10}The stream .*nowhere.*\n {10}Use the stream ID,.*--stream nowhere.*\n$/,
  )
  // Without a webhook there is nothing to say of one.
  expect(cli.stderr.read()).toBeNull()
  await transporter.close()
  expect(await cli.end()).toBe(0)
})

it('shows colours where the stream has them, and none elsewhere', async () => {
  const coloured = start(FREE, () => true)
  expect(await coloured.until(/Ctrl-C/)).toContain('\u001b[1mpostmark+smtp://')
  const plain = start(FREE)
  expect(await plain.until(/Ctrl-C/)).not.toContain('\u001b')
  expect(await Promise.all([coloured.end(), plain.end()])).toEqual([0, 0])
})

it('is quiet about emails if told so', async () => {
  const cli = start([...FREE, '--quiet'])
  const [url = ''] = /postmark\+smtp:\S+/.exec(await cli.until(/Ctrl-C/)) ?? []
  const transporter = createPostmarkTransport(url)
  await transporter.sendMail(message)
  await transporter.close()
  expect(await cli.end()).toBe(0)
  expect(cli.stdout.read()).toBeNull()
})

it('listens on several ports, with a certificate and a token of its own', async () => {
  const { cert, private: key } = await generate([{ name: 'commonName', value: 'localhost' }], {
    keyType: 'ec',
    extensions: [{ name: 'subjectAltName', altNames: [{ type: 7, ip: '127.0.0.1' }] }],
  })
  const folder = await mkdtemp(join(tmpdir(), 'postmark-sandbox-'))
  const files = [join(folder, 'cert.pem'), join(folder, 'key.pem')] as const
  await Promise.all([writeFile(files[0], cert), writeFile(files[1], key)])
  const tls = ['--tls-cert', files[0], '--tls-key', files[1]]
  const cli = start([...FREE, '--port', '0', '--broadcasts-port', '0', '--token', 'secret', ...tls])
  const ports = [...(await cli.until(/Ctrl-C/)).matchAll(/ 127\.0\.0\.1:(\d+)/g)].map(([, port]) =>
    Number(port),
  )
  expect(new Set(ports).size).toBe(3)
  for (const port of ports) {
    const auth = { user: 'secret', pass: 'secret' }
    const options = { host: '127.0.0.1', port, auth, requireTLS: true, tls: { ca: cert } }
    await createTransport(options).sendMail(message)
    const other = createTransport({ ...options, auth: { user: 'other', pass: 'other' } })
    await expect(other.sendMail(message)).rejects.toThrow(/535/)
  }
  expect(await cli.end()).toBe(0)
  await rm(folder, { recursive: true })
})

it('prints the help, which names every flag, and the version', async () => {
  expect(await run('--help')).toEqual({ code: 0, out: HELP, err: '' })
  expect(await run('-h')).toMatchObject({ code: 0, out: HELP })
  const { err } = await run('--no-such-flag')
  const flags = err.match(/(?<=[ ,])--[a-z-]+/g) ?? []
  expect(flags).toContain('--broadcasts-port')
  expect(flags.filter((flag: string) => !new RegExp(`${flag}[ ,\n]`).test(HELP))).toEqual([])
  expect(await run('--version')).toEqual({ code: 0, out: '1.2.3\n', err: '' })
})

it('says which port is taken', async () => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  expect(await run('--port', String(port), '--http-port', '0')).toEqual({
    code: 1,
    out: '',
    err: expect.stringMatching(`cannot listen on 127\\.0\\.0\\.1:${port}: another process listens there`),
  })
  server.close()
})

it('listens on another address, and asks for the password of a file', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'postmark-sandbox-'))
  const file = join(folder, 'password')
  await writeFile(file, 'open sesame\n')
  const cli = start([...FREE, '--host', '127.0.0.2', '--password-file', file])
  const [inboxUrl = ''] = /http:\/\/127\.0\.0\.2:\S+/.exec(await cli.until(/Ctrl-C/)) ?? []
  const asksForPassword = async (headers: Record<string, string>) =>
    (await fetch(inboxUrl, { headers })).headers.has('www-authenticate')
  expect(await asksForPassword({})).toBe(true)
  const authorization = `Basic ${Buffer.from('me:open sesame').toString('base64')}`
  expect(await asksForPassword({ authorization })).toBe(false)
  expect(await cli.end()).toBe(0)
  await rm(folder, { recursive: true })
})

it('knows the streams that it is told of, and posts the events of each', async () => {
  const posted: unknown[] = []
  const application = createHttpServer(async (request, response) => {
    const { RecordType, MessageStream } = (await json(request)) as Record<string, unknown>
    posted.push([RecordType, MessageStream])
    response.end()
    if (posted.length === 3) application.emit('three')
  }).listen(0, '127.0.0.1')
  await once(application, 'listening')
  const three = once(application, 'three')
  const webhook = `http://127.0.0.1:${(application.address() as { port: number }).port}/`
  const cli = start([...FREE, '--stream', 'receipts', '--stream', 'news:broadcasts', '--webhook', webhook])
  const [url = ''] = /postmark\+smtp:\S+/.exec(await cli.until(/Ctrl-C/)) ?? []
  const transporter = createPostmarkTransport(url)
  const streams = ['receipts', 'news', 'outbound']
  for (const messageStream of streams) await transporter.sendMail({ ...message, postmark: { messageStream } })
  expect(await cli.until(/ outbound /)).toMatch(
    /sent {10}receipts .*\n.*sent {10}news .*\n.*sent {10}outbound /,
  )
  await three
  expect(posted).toEqual(expect.arrayContaining(streams.map((stream) => ['Delivery', stream])))
  await transporter.close()
  expect(await cli.end()).toBe(0)
  application.close()
})

const refused = { ...message, postmark: { messageStream: 'nowhere' } }
it.each([
  [
    'tells once that refused emails are not posted',
    [],
    [refused, refused, message],
    { RecordType: 'Delivery' },
    /^Refused emails are not posted.*\n$/,
  ],
  [
    'posts refused emails where it is told to, with their content',
    ['--smtp-api-error-hooks'],
    [refused],
    { RecordType: 'Bounce', Content: expect.stringContaining('ErrorCode: 1235') },
    /^$/,
  ],
])('%s', async (_title, flags, mails, post, err) => {
  const posts: Record<string, unknown>[] = []
  const application = createHttpServer(async (request, response) => {
    posts.push((await json(request)) as Record<string, unknown>)
    response.end()
    application.emit('posted')
  }).listen(0, '127.0.0.1')
  await once(application, 'listening')
  const posted = once(application, 'posted')
  const webhook = `http://127.0.0.1:${(application.address() as { port: number }).port}/`
  const cli = start([...FREE, '--webhook', webhook, ...flags])
  const [url = ''] = /postmark\+smtp:\S+/.exec(await cli.until(/Ctrl-C/)) ?? []
  const transporter = createPostmarkTransport(url)
  for (const mail of mails) await transporter.sendMail(mail)
  await posted
  expect(posts).toMatchObject([{ MessageStream: 'outbound', ...post }])
  await transporter.close()
  expect(await cli.end()).toBe(0)
  expect(cli.stderr.read() ?? '').toMatch(err)
  application.close()
})

it('draws faults from the seed', async () => {
  const { options } = await parseCommand(['--fail-seed', '7'])
  expect(options.faults).toBeTypeOf('function')
  const draw = (faults: unknown) =>
    Array.from({ length: 100 }, (_, connection) => (faults as ReturnType<typeof seededFaults>)(connection, 0))
  expect(draw(options.faults)).toEqual(draw(seededFaults(7)))
  expect(draw(options.faults)).not.toEqual(draw(seededFaults(8)))
})

it.each([
  [['--prot', '25'], 'Unknown option "--prot". Did you mean "--port"?'],
  [['-x'], 'Unknown option "-x".'],
  [['--sender', 'a.example:perhaps'], '--sender must be a domain or an address'],
  [['--suppress', 'ann'], '--suppress must be ADDRESS or ADDRESS:STREAM, not "ann".'],
  [['--account', 'rich'], 'account'],
  [['--tls-name', 'not a name'], 'tlsNames'],
  [
    ['--port', '0', '--http-port', '0', '--ca-out', '/nowhere/ca.pem'],
    '--ca-out: the file cannot be written',
  ],
  [['25'], "Unexpected argument '25'"],
  [['--port'], "--port <value>' argument missing"],
  [['--quiet=yes'], "Option '--quiet' does not take an argument"],
  [['--port', '70000'], '--port must be a port from 0 to 65535, not "70000".'],
  [['--port', 'smtp'], '--port must be a whole number, not "smtp".'],
  [['--http-port', '1.5'], '--http-port must be a whole number, not "1.5".'],
  [['--keep', '1e3'], '--keep must be a whole number, not "1e3".'],
  [
    ['--tls-cert', '/nowhere/cert.pem', '--tls-key', '/nowhere/key.pem'],
    '--tls-cert: the file cannot be read',
  ],
  [['--tls-cert', import.meta.filename], '--tls-cert and --tls-key must be given together.'],
])('refuses %j', async (args, text) => {
  const { code, out, err } = await run(...args)
  expect({ code, out }).toEqual({ code: 1, out: '' })
  expect(err).toContain(text)
})

describe('the environment', () => {
  const values: Readonly<Record<string, string>> = {
    ...{
      port: '1',
      'broadcasts-port': '2',
      'http-port': '3',
      account: 'pending',
      keep: '4',
      'fail-seed': '5',
    },
    ...{ token: 'a-token', stream: 'news:broadcasts', sender: 'example.com', suppress: 'ann@example.com' },
    ...{ 'tls-name': 'sandbox', data: 'mails', webhook: 'http://127.0.0.1:9/', 'ca-out': 'ca.pem' },
  }
  const files: Readonly<Record<string, string>> = {
    'password-file': 'password',
    'tls-cert': 'c',
    'tls-key': 'k',
  }
  const names = Object.keys(FLAGS).filter((name) => name !== 'help' && name !== 'version')

  it.each(names.filter((name) => !(name in files) && name !== 'host'))(
    'gives --%s as the command line does',
    async (name) => {
      const flag = FLAGS[name as keyof typeof FLAGS]
      const value = values[name] ?? ''
      const args = flag.type === 'boolean' ? [`--${name}`] : [`--${name}`, value]
      const environment = { [toVariable(name)]: flag.type === 'boolean' ? 'true' : value }
      const [given, byEnvironment] = [await parseCommand(args), await parseCommand([], environment)]
      const plain = (command: object) => JSON.stringify(command)
      expect(plain(byEnvironment)).toBe(plain(given))
      if (name !== 'fail-seed') expect(plain(given)).not.toBe(plain(await parseCommand([])))
      else expect(byEnvironment.options.faults).toBeTypeOf('function')
    },
  )

  it('gives those of files and addresses too', async () => {
    for (const name of Object.keys(files))
      await expect(parseCommand([], { [toVariable(name)]: '/nowhere/file' })).rejects.toThrow(
        `--${name}: the file`,
      )
    await expect(parseCommand([], { POSTMARK_SANDBOX_HOST: '0.0.0.0' })).rejects.toThrow(
      '--host 0.0.0.0 needs',
    )
  })

  it('has lists with commas, and the command line goes first', async () => {
    const environment = {
      POSTMARK_SANDBOX_PORT: '1, 2',
      POSTMARK_SANDBOX_QUIET: '0',
      POSTMARK_SANDBOX_TOKEN: '',
    }
    expect(await parseCommand([], environment)).toMatchObject({
      quiet: false,
      options: { port: 1, ports: [2] },
    })
    expect(await parseCommand(['-p', '3'], environment)).toMatchObject({ options: { port: 3, ports: [] } })
  })

  it('is refused where a variable belongs to no flag', async () => {
    await expect(parseCommand([], { POSTMARK_SANDBOX_PROT: '1' })).rejects.toThrow(
      'No flag of the sandbox matches POSTMARK_SANDBOX_PROT in the environment.',
    )
  })
})

it('makes a certificate for a name, writes it for others, and they trust it', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'postmark-sandbox-'))
  const file = join(folder, 'ca.pem')
  const cli = start([...FREE, '--tls-name', 'sandbox', '--tls-name', '192.0.2.7', '--ca-out', file])
  const banner = await cli.until(/Ctrl-C/)
  const [, port] = /SMTP +127\.0\.0\.1:(\d+)/.exec(banner)!
  const ca = await readFile(file, 'utf8')
  const [, page = ''] = /(http:\/\/127\.0\.0\.1:\d+\/)/.exec(banner)!
  expect(await (await fetch(`${page}ca.pem`)).text()).toBe(ca)
  const sendAs = (servername: string) =>
    createTransport({
      ...{ host: '127.0.0.1', port: Number(port), requireTLS: true, tls: { ca, servername } },
      auth: { user: 'any', pass: 'any' },
    }).sendMail(message)
  await sendAs('sandbox')
  await expect(sendAs('other')).rejects.toThrow('other')
  expect(await cli.end()).toBe(0)
  await rm(folder, { recursive: true })
})

it('knows senders, account and suppressed addresses, and opens the page', async () => {
  const rules = ['--sender', 'example.com', '--sender', 'new@example.org:unconfirmed', '--open']
  const cli = start([
    ...FREE,
    ...rules,
    '--suppress',
    'ann@example.com',
    '--suppress',
    'bob@example.com:broadcast',
  ])
  const banner = await cli.until(/Ctrl-C/)
  const [url = ''] = /postmark\+smtp:\S+/.exec(banner) ?? []
  const transporter = createPostmarkTransport(url)
  await transporter.sendMail(message)
  await transporter.sendMail({ ...message, from: 'new@example.org', to: 'bob@example.com' })
  await transporter.sendMail({ ...message, to: 'bob@example.com', subject: 'Last' })
  await transporter.close()
  const printed = await cli.until(/Last/)
  expect(printed.match(/refused \d+|sent {10}/g)).toEqual(['refused 406', 'refused 401', 'sent          '])
  expect(cli.opened).toEqual([/http:\S+/.exec(banner)![0]])
  expect(await cli.end()).toBe(0)
})

it('lists the webhooks, and says of each failed post and refused login without a secret', async () => {
  const application = createHttpServer((_request, response) => response.writeHead(401).end())
  await once(application.listen(0, '127.0.0.1'), 'listening')
  const { port } = application.address() as { port: number }
  const webhook = `http://me:pass-1@127.0.0.1:${port}/hook`
  const cli = start([...FREE, '--token', 'token-1', '--webhook', webhook])
  const banner = await cli.until(/Ctrl-C/)
  expect(banner).toContain(`Webhook    http://127.0.0.1:${port}/hook (outbound)\n`)
  expect(banner).not.toContain('pass-1')
  const [url = ''] = /postmark\+smtp:\S+/.exec(banner) ?? []
  const wrong = createPostmarkTransport(url.replace('token-1', 'token-2'))
  await expect(wrong.sendMail(message)).rejects.toThrow()
  await wrong.close()
  const transporter = createPostmarkTransport(url)
  await transporter.sendMail(message)
  await transporter.close()
  let told = ''
  while (!told.includes('Webhook')) {
    const chunk: string | null = cli.stderr.read()
    if (chunk === null) await once(cli.stderr, 'readable')
    else told += chunk
  }
  expect(told).toContain('Login refused (AUTH CRAM-MD5): the user name and password are not a token')
  expect(told).toContain(
    `Webhook http://127.0.0.1:${port}/hook: the post of a Delivery event failed (status 401) and will not be retried.\n`,
  )
  expect(told).not.toMatch(/token-\d|pass-1/)
  expect(await cli.end()).toBe(0)
  application.close()
})

it('keeps the emails of --data over a restart, and says what could not be read', async () => {
  const data = await mkdtemp(join(tmpdir(), 'postmark-sandbox-'))
  const flags = [...FREE, '--data', data]
  const mailsOf = async (banner: string) => {
    const response = await fetch(`${/http:\S+/.exec(banner)![0]}sandbox/mails`)
    return ((await response.json()) as { TotalCount: number }).TotalCount
  }
  const first = start(flags)
  const banner = await first.until(/Ctrl-C/)
  const transporter = createPostmarkTransport(/postmark\+smtp:\S+/.exec(banner)![0])
  await transporter.sendMail(message)
  await transporter.close()
  const second = await run(...flags)
  expect(second).toMatchObject({
    code: 1,
    err: expect.stringMatching(/^Another sandbox uses the data directory/),
  })
  expect(await first.end()).toBe(0)

  const third = start(flags)
  expect(await mailsOf(await third.until(/Ctrl-C/))).toBe(1)
  expect(await third.end()).toBe(0)
  const [file = ''] = (await readdir(data)).filter((name) => name.endsWith('.log'))
  await appendFile(join(data, file), 'x'.repeat(30))
  const fourth = start(flags)
  expect(await mailsOf(await fourth.until(/Ctrl-C/))).toBe(1)
  expect(fourth.stderr.read()).toBe(
    `${data}: 30 bytes of ${file} cannot be read. All other records in it were kept. The file is now ${file}.damaged.\n`,
  )
  expect(await fourth.end()).toBe(0)
  await rm(data, { recursive: true })
})
