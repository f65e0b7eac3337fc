import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { createTransport } from 'nodemailer'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type Sandbox, type SandboxOptions, startSandbox } from '../../sandbox.js'
import { PAGE_SCRIPT } from './page-script.js'

let sandbox: Sandbox
beforeAll(async () => {
  sandbox = await startSandbox({ streams: ['receipts'] })
})
beforeEach(() => sandbox.clear())
afterAll(() => sandbox.close())

const message = { from: 'shop@example.com', to: 'ann@example.com', subject: 'Hello', text: 'Hello Ann' }

/** Sends emails one after the other. */
async function send(...mails: readonly object[]): Promise<void> {
  const { host, port, token: user } = sandbox
  const transport = createTransport({
    host,
    port,
    ignoreTLS: true,
    pool: true,
    maxConnections: 1,
    auth: { user, pass: user },
  })
  for (const mail of mails) await transport.sendMail({ ...message, ...mail })
  transport.close()
}
const get = (path: string, init?: RequestInit) =>
  fetch(new URL(path, sandbox.inboxUrl), { redirect: 'manual', ...init })
const post = (path: string, fields: Record<string, string> = {}) =>
  get(path, { method: 'POST', body: new URLSearchParams(fields) })
const lastPath = () => `/mails/${sandbox.outbox.at(-1)?.messageId}`
const subjects = async (path: string) =>
  [...(await (await get(path)).text()).matchAll(/id="mail-[^>]*>([^<]*)</g)].map(([, subject]) => subject)

describe('the filters of the list', () => {
  beforeEach(async () => {
    await send(
      { subject: 'One', headers: { 'X-PM-Tag': 'welcome', 'X-PM-Metadata-order-id': '41' } },
      { subject: 'Two', headers: { 'X-PM-Message-Stream': 'receipts', 'X-PM-Metadata-Order-Id': '42' } },
      {
        subject: 'Grüße',
        to: ['bob@example.com', 'Eve@example.com'],
        text: `${'x'.repeat(70)} longer than a line, grün`,
      },
      { subject: 'Bad', headers: { 'X-PM-Message-Stream': 'nowhere' } },
    )
    sandbox.bounce(sandbox.outbox[1]!, 'HardBounce')
  })
  it.each<[query: string, found: readonly string[]]>([
    ['', ['Bad', 'Grüße', 'Two', 'One']],
    ['stream=receipts', ['Two']],
    ['stream=nowhere', ['Bad']],
    ['stream=outbound', ['Grüße', 'One']],
    ['tag=WELC', ['One']],
    ['metadata=order-id%3D42', ['Two']],
    ['metadata=ORDER-ID', ['Two', 'One']],
    ['metadata=order-id%3D', []],
    ['to=eve@', ['Grüße']],
    ['q=gr%C3%BC%C3%9F', ['Grüße']],
    ['q=longer+than+a+line', ['Grüße']],
    ['status=refused', ['Bad']],
    ['status=bounced', ['Two']],
    ['status=constructor', ['Bad', 'Grüße', 'Two', 'One']],
    ['to=ann&status=delivered', ['One']],
    ['page=99', ['Bad', 'Grüße', 'Two', 'One']],
    ['page=-1&q=+', ['Bad', 'Grüße', 'Two', 'One']],
  ])('%s', async (query, found) => {
    expect(await subjects(`/?${query}`)).toEqual(found)
  })
})

it('shows and offers a stream that an email names although it does not exist', async () => {
  await send({ headers: { 'X-PM-Message-Stream': 'nowhere' } })
  const list = await (await get('/')).text()
  expect(list).toContain('<td role="cell" class="stream">nowhere (does not exist)</td>')
  expect(list).toContain('<option value="nowhere">nowhere</option>')
  expect(await (await get(lastPath())).text()).toContain('<code>nowhere (does not exist)</code>')
})

it('gives out a list of many emails in pages that keep the filters', async () => {
  await send(
    ...Array.from({ length: 130 }, (_, i) => ({ subject: `Mail ${i}`, headers: { 'X-PM-Tag': 'a&b' } })),
  )
  const first = await (await get('/?tag=a%26b')).text()
  expect(first).toContain('Page 1 of 2')
  expect(first).toContain('href="/?tag=a%26b&amp;page=2"')
  expect((await subjects('/?tag=a%26b&page=2')).at(-1)).toBe('Mail 0')
  expect(await subjects('/?tag=a%26b&page=2')).toHaveLength(30)
})

it('says where it could not read a text in its charset', async () => {
  await send({ raw: 'Content-Type: text/plain; charset=klingon\r\n\r\nGrüße', envelope: message })
  const page = await (await get(lastPath())).text()
  expect(page).toContain('The charset &quot;klingon&quot; of the text/plain part is not known')
  expect(page).toContain('Grüße')
})

it.each([
  ['a form without a boundary', 'multipart/form-data', 'x'],
  [
    'a form that breaks off',
    'multipart/form-data; boundary=b',
    '--b\r\nContent-Disposition: form-data; name="type"\r\n\r\nSoft',
  ],
  ['a form that is none', 'multipart/form-data; boundary=b', 'type=SoftBounce'],
  ['JSON', 'application/json', '{"type":"SoftBounce"}'],
  ['text', 'text/plain', 'type=SoftBounce'],
])('answers %s with 400, and does nothing', async (_, type, body) => {
  await send({})
  const reply = await get(`${lastPath()}/bounce`, { method: 'POST', headers: { 'Content-Type': type }, body })
  expect(reply.status).toBe(400)
  expect(sandbox.bounces).toEqual([])
})

describe('what a recipient does', () => {
  it.each<[action: string, fields: Record<string, string>, event: object]>([
    ['open', {}, { recordType: 'Open', recipient: 'ann@example.com' }],
    ['open', { recipient: 'bob@example.com' }, { recordType: 'Open', recipient: 'bob@example.com' }],
    [
      'click',
      { link: 'https://example.com/b' },
      { recordType: 'Click', payload: expect.objectContaining({ OriginalLink: 'https://example.com/b' }) },
    ],
    ['complain', {}, { recordType: 'SpamComplaint' }],
    ['unsubscribe', {}, { recordType: 'SubscriptionChange' }],
    [
      'bounce',
      { type: 'SoftBounce' },
      { recordType: 'Bounce', bounce: expect.objectContaining({ type: 'SoftBounce' }) },
    ],
  ])('%s %j happens through a form', async (action, fields, event) => {
    await send({
      to: ['ann@example.com', 'bob@example.com'],
      text: 'https://example.com/a https://example.com/b',
    })
    const reply = await post(`${lastPath()}/${action}`, fields)
    expect([reply.status, reply.headers.get('location')]).toEqual([303, lastPath()])
    expect(sandbox.events(sandbox.outbox[0]!)).toContainEqual(expect.objectContaining(event))
  })

  it('is refused with a reason where it cannot happen', async () => {
    await send({ text: 'no link' })
    const reply = await post(`${lastPath()}/click`)
    expect(reply.status).toBe(409)
    expect(await reply.text()).toContain('role="alert"')
  })

  it.each(['/explode', '/bounce'])('is not found where there is no such thing: %s', async (path) => {
    await send({})
    expect((await post(lastPath() + path, { type: 'Explosion' })).status).toBe(404)
    expect(sandbox.events(sandbox.outbox[0]!)).toHaveLength(1)
  })

  it('is not taken from a page of another origin', async () => {
    await send({})
    const headers = { origin: 'http://evil.example', 'sec-fetch-site': 'cross-site' }
    for (const path of ['/clear', `${lastPath()}/open`]) {
      expect((await get(path, { method: 'POST', headers })).status).toBe(403)
    }
    expect(sandbox.outbox).toHaveLength(1)
  })
})

describe('a refused email', () => {
  const headers = (entries: Record<string, string>) => ({ headers: entries })
  const to51 = Array.from({ length: 51 }, (_, i) => `user${i}@example.com`)
  const senders = ['shop@example.com', { address: 'new@example.com', confirmed: false }]
  afterAll(async () => {
    await sandbox.close()
    sandbox = await startSandbox({ streams: ['receipts'] })
  })
  it.each<[code: number, what: string, cure: RegExp, mail: object, options?: SandboxOptions]>([
    [300, 'a tag that is too long', /shorten/i, headers({ 'X-PM-Tag': 'x'.repeat(1001) })],
    [300, 'a metadata value that is too long', /shorten/i, headers({ 'X-PM-Metadata-a': 'x'.repeat(81) })],
    [300, 'too many recipients', /./, { to: to51 }],
    [
      400,
      'a From that is no sender',
      /Sender Signatures/,
      { from: 'someone@elsewhere.example' },
      { senders },
    ],
    [401, 'a From that is not confirmed', /Follow the link/, { from: 'new@example.com' }, { senders }],
    [406, 'a recipient that is inactive', /Do not send again/, { to: 'gone@example.com' }],
    [411, 'a forbidden attachment', /archive/, { attachments: [{ filename: 'setup.exe', content: 'MZ' }] }],
    [412, 'a pending account', /Request approval/, { to: 'ann@elsewhere.example' }, { account: 'pending' }],
    [413, 'a blocked account', /Contact Postmark support/, {}, { account: 'blocked' }],
    [1235, 'an unknown stream', /Use the stream ID/, headers({ 'X-PM-Message-Stream': 'nowhere' })],
    [
      1236,
      'an inbound stream',
      /transactional or a broadcast/,
      headers({ 'X-PM-Message-Stream': 'inbound' }),
    ],
  ])('shows verdict, problem, code and cure: %i, %s', async (code, _what, cure, mail, options) => {
    await sandbox.close()
    sandbox = await startSandbox(options)
    sandbox.suppress('gone@example.com')
    await send(mail)
    expect(await (await get('/')).text()).toContain(`<span class="badge refused">Refused ${code}</span>`)
    const page = await (await get(lastPath())).text()
    const verdict = /<section class="verdict refused"[\s\S]*?<\/section>/.exec(page)?.[0] ?? ''
    expect(verdict).toContain('Postmark would refuse this email')
    const facts = [...verdict.matchAll(/<d[td]>(.*?)<\/d[td]>/g)].map(([, fact]) => toText(fact))
    const problem = sandbox.outbox[0]?.verdict.problems[0]
    expect(facts.slice(0, 8)).toEqual([
      ...['Code', expect.stringContaining(`${code} `)],
      ...['Problem', problem?.message.replaceAll('`', '')],
      ...['Where', problem?.path],
      ...['Fix', expect.stringMatching(cure)],
    ])
  })
})

/** What a reader sees of a piece of markup. */
function toText(markup = ''): string {
  const entities: Record<string, string> = {
    '&amp;': '&',
    '&lt;': '<',
    '&gt;': '>',
    '&quot;': '"',
    '&#39;': "'",
  }
  return markup.replace(/<[^>]*>/g, '').replace(/&(?:amp|lt|gt|quot|#39);/g, (entity) => entities[entity]!)
}

it('clears the inbox', async () => {
  await send({}, {})
  expect((await post('/clear')).headers.get('location')).toBe('/')
  expect(sandbox.outbox).toEqual([])
})

it('gives a download a name that cannot break out of its header', async () => {
  const names = ['a"b\\c.txt', 'Grüße.pdf', '\u202Egnp.exe', '../../etc/passwd', '\ud800.txt', '']
  await send({ attachments: names.map((filename) => ({ filename, content: 'x', contentType: 'text/html' })) })
  for (const index of names.keys()) {
    const { status, headers } = await get(`${lastPath()}/attachments/${index}`)
    expect(status).toBe(200)
    expect(headers.get('content-disposition')).toMatch(
      /^attachment; filename="[\w .()+-]+"; filename\*=UTF-8''[\w.%!~-]+$/,
    )
    expect(headers.get('content-type')).toBe('application/octet-stream')
    expect(headers.get('x-content-type-options')).toBe('nosniff')
  }
  expect((await get(`${lastPath()}/attachments/99`)).status).toBe(404)
  expect((await get(`${lastPath()}/attachments/constructor`)).status).toBe(404)
})

it('gives out the source byte by byte', async () => {
  await send({})
  const reply = await get(`${lastPath()}/source`)
  expect(Buffer.from(await reply.arrayBuffer())).toEqual(sandbox.outbox[0]?.raw)
})

describe('the policy', () => {
  it.each(['/', '/help', '/nowhere', '/mails/nowhere'])(
    'of %s lets nothing in from elsewhere',
    async (path) => {
      const policy = (await get(path)).headers.get('content-security-policy')
      expect(policy).toMatch(/^default-src 'none'; script-src 'self';/)
      expect(policy).not.toMatch(/unsafe|http|\*/)
    },
  )

  it('of the HTML of an email lets nothing run or load, even outside its frame', async () => {
    await send({ html: '<p>Hello</p>' })
    const policy = (await get(`${lastPath()}/html`)).headers.get('content-security-policy')
    expect(policy).toMatch(/^sandbox; default-src 'none'; img-src data:;/)
    expect(policy).not.toMatch(/allow-|script-src|http/)
  })
})

it('puts the images that came with an email into its HTML', async () => {
  const image = Buffer.from('89504e47', 'hex')
  await send({
    html: '<img src="cid:logo@x"><img src="cid:none"><img src="cid:page">',
    attachments: [
      { cid: 'logo@x', content: image, contentType: 'image/png', filename: 'logo.png' },
      { cid: 'page', content: '<script></script>', contentType: 'text/html', filename: 'page.html' },
    ],
  })
  const document = await (await get(`${lastPath()}/html`)).text()
  expect(document).toContain(
    '<img src="data:image/png;base64,iVBORw=="><img src="cid:none"><img src="cid:page">',
  )
})

it('tells over Server-Sent Events that something changed, a burst at once', async () => {
  const reply = await get('/events')
  const reader = reply.body!.pipeThrough(new TextDecoderStream()).getReader()
  const read = async () => (await reader.read()).value
  expect(await read()).toBe('event: change\ndata: \n\n')
  await send({}, {}, {})
  expect(await read()).toBe('event: change\ndata: \n\n')
  await reader.cancel()
})

it('runs a script that the linter finds no fault with', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'page-script-'))
  const rules = { preset: 'recommended', correctness: { noUndeclaredVariables: 'error' } }
  await writeFile(join(folder, 'biome.json'), JSON.stringify({ linter: { rules } }))
  await writeFile(join(folder, 'page-script.js'), PAGE_SCRIPT)
  const biome = fileURLToPath(new URL('../../../../../node_modules/.bin/biome', import.meta.url))
  const lint = promisify(execFile)(biome, ['lint', '--error-on-warnings', `--config-path=${folder}`, folder])
  await expect(lint).resolves.toMatchObject({ stdout: expect.stringContaining('No fixes applied') })
  await rm(folder, { recursive: true })
})
