import { existsSync, statSync, writeFileSync } from 'node:fs'
import { createPostmarkTransport } from '@postmark-smtp/core'
import { chromiumMissing, size } from '@postmark-smtp/testing'
import axe from 'axe-core'
import { createTransport } from 'nodemailer'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type Sandbox, startSandbox } from '../../sandbox.js'
import { INBOX_MESSAGE, launchBrowser, openPage } from '../../testing/inbox-browser.js'

const missing = chromiumMissing()
const skipped = missing !== undefined && process.env.REQUIRE_REAL_PARTS !== '1'
if (skipped) console.warn(`Skipped: ${missing}`)

const SCHEMES = ['light', 'dark'] as const

let browser: Browser
beforeAll(async () => {
  if (!skipped) browser = await launchBrowser()
})
afterAll(() => browser?.close())

let sandbox: Sandbox
/** What the browser had to complain about: errors of the script, and all that a policy refused. */
let complaints: string[]
beforeEach(async () => {
  complaints = []
  sandbox = await startSandbox({ streams: ['receipts'] })
})
afterEach(async () => {
  for (const context of browser?.contexts() ?? []) await context.close()
  await sandbox.close()
  expect(complaints).toEqual([])
})

const open = (path = '', options: BrowserContextOptions = {}): Promise<Page> =>
  openPage(browser, sandbox.inboxUrl + path, complaints, options)

async function send(...mails: readonly object[]): Promise<void> {
  const { host, port, token: user } = sandbox
  const auth = { user, pass: user }
  const transport = createTransport({ host, port, ignoreTLS: true, pool: true, auth })
  await Promise.all(mails.map((mail) => transport.sendMail({ ...INBOX_MESSAGE, ...mail })))
  transport.close()
}
/** One after the other, so that their order is known. */
async function sendInTurn(...mails: readonly object[]): Promise<void> {
  for (const mail of mails) await send(mail)
}
const mailPath = (index: number) => `mails/${sandbox.outbox.at(index)?.messageId}`
const subjects = (page: Page) => page.locator('.mails .subject a').allTextContents()
const focused = (page: Page) => page.evaluate<string>('document.activeElement.textContent')
/** Waits until the page has its event stream. */
const live = (page: Page) => page.getByText('Live', { exact: true }).waitFor()

describe.skipIf(skipped)('the list', () => {
  it('tells how to connect while it is empty, and copies the URL', async () => {
    const page = await open('', { permissions: ['clipboard-read', 'clipboard-write'] })
    await page.getByRole('button', { name: 'Copy' }).click()
    await page.getByRole('button', { name: 'Copied' }).waitFor()
    expect(await page.evaluate('navigator.clipboard.readText()')).toBe(sandbox.url)
  })

  it('shows an email as it comes, and tells screen readers how many there are', async () => {
    const page = await open()
    await live(page)
    await send({ subject: 'First' })
    await page.getByRole('link', { name: 'First' }).waitFor()
    expect(await page.getByRole('status').textContent()).toBe('1 email')
    await send({ subject: 'Second', headers: { 'X-PM-Message-Stream': 'nowhere' } })
    await page.getByText('Refused 1235').waitFor()
    expect(await subjects(page)).toEqual(['Second', 'First'])
  })

  it('keeps the focus where it was when emails come', async () => {
    await sendInTurn({ subject: 'First' }, { subject: 'Second' })
    const page = await open()
    await live(page)
    await page.getByRole('link', { name: 'First' }).focus()
    await send({ subject: 'Third' })
    await page.getByRole('link', { name: 'Third' }).waitFor()
    expect(await focused(page)).toBe('First')
  })

  it('follows a burst of emails with few loads', async () => {
    const page = await open()
    await live(page)
    const start = performance.now()
    let loads = 0
    page.on('request', (request) => {
      if (request.url() === sandbox.inboxUrl) loads += 1
    })
    const count = size(1000)
    await send(...Array.from({ length: count }, (_, i) => ({ subject: `Mail ${i}` })))
    await page.getByRole('status').getByText(`${count} emails`, { exact: true }).waitFor()
    expect(await page.locator('.mails tbody tr').count()).toBe(Math.min(count, 100))
    // The server tells at most ten changes a second.
    expect(loads).toBeLessThanOrEqual((performance.now() - start) / 100 + 2)
  })

  it('goes on by itself after the emails were cleared', async () => {
    await send({})
    const page = await open()
    await live(page)
    await page.getByText('Clear…').click()
    await page.getByRole('button', { name: 'Delete all (1)' }).click()
    await page.getByText('No email yet').waitFor()
    expect(sandbox.outbox).toEqual([])
    await live(page)
    await send({ subject: 'Next' })
    await page.getByRole('link', { name: 'Next' }).waitFor()
  })

  it('filters while somebody types, under a URL that shows the same', async () => {
    await sendInTurn(
      { subject: 'One', headers: { 'X-PM-Tag': 'welcome' } },
      { subject: 'Two', headers: { 'X-PM-Message-Stream': 'receipts', 'X-PM-Metadata-order-id': '42' } },
    )
    const page = await open()
    await page.getByLabel('Metadata').pressSequentially('order-id=42')
    await page.getByText('1 of 2 emails').waitFor()
    await page.getByLabel('Message stream').selectOption('receipts')
    await page.waitForURL(/\?stream=receipts&metadata=order-id%3D42$/)
    expect(await subjects(page)).toEqual(['Two'])
    expect(await subjects(await open(new URL(page.url()).search))).toEqual(['Two'])
  })

  it('filters, opens and acts without a script too', async () => {
    await sendInTurn({ subject: 'One' }, { subject: 'Two' })
    const page = await open('', { javaScriptEnabled: false })
    await page.getByLabel('Text').fill('one')
    await page.getByRole('button', { name: 'Filter' }).click()
    await page.getByRole('link', { name: 'One' }).click()
    await page.getByRole('button', { name: 'Open' }).click()
    await page.getByRole('main').getByText('Opened').first().waitFor()
    expect(sandbox.events(sandbox.outbox[0]!).map(({ recordType }) => recordType)).toEqual([
      'Delivery',
      'Open',
    ])
    await page.getByRole('link', { name: 'Reload' }).waitFor()
  })
})

describe.skipIf(skipped)('the keyboard', () => {
  it('goes through the list, opens an email and comes back to the filtered list', async () => {
    await sendInTurn({ subject: 'One' }, { subject: 'Two' }, { subject: 'Three' }, { subject: 'Else' })
    const page = await open()
    await page.keyboard.press('/')
    await page.keyboard.type('subject: t')
    await page.getByText('2 of 4 emails').waitFor()
    await page.keyboard.press('Escape')
    const seen: (string | null | undefined)[] = []
    for (const key of ['j', 'j', 'j', 'k', 'ArrowDown', 'ArrowUp']) {
      await page.keyboard.press(key)
      seen.push(await focused(page))
    }
    expect(seen).toEqual(['Three', 'Two', 'Two', 'Three', 'Two', 'Three'])
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { level: 1, name: 'Three' }).waitFor()
    await page.keyboard.press('Escape')
    await page.getByText('2 of 4 emails').waitFor()
    await page.keyboard.press('?')
    await page.getByRole('heading', { level: 1, name: 'Help' }).waitFor()
  })

  it('reaches everything with Tab alone, with the focus to be seen', async () => {
    await send({ subject: 'One' })
    const page = await open()
    const seen: string[] = []
    for (let step = 0; step < 12; step++) {
      await page.keyboard.press('Tab')
      seen.push(await page.evaluate<string>(FOCUSED_ELEMENT))
    }
    expect(seen).toEqual([
      ...['Skip to content', 'Inbox', 'Help', 'Clear…'],
      ...['q', 'status', 'stream', 'tag', 'metadata', 'to', 'Filter', 'One'],
    ])
  })
})

describe.skipIf(skipped)('an email', () => {
  it('shows each of its parts', async () => {
    await send({
      html: '<p id="hello">Hello <b>Ann</b></p>',
      attachments: [{ filename: 'invoice.pdf', content: Buffer.alloc(1500) }],
      headers: { 'X-PM-Metadata-order-id': '42' },
    })
    const page = await open(mailPath(0))
    expect(await page.frameLocator('iframe').locator('#hello').textContent()).toBe('Hello Ann')
    const downloading = page.waitForEvent('download')
    await page.getByRole('link', { name: 'invoice.pdf' }).click()
    expect((await downloading).suggestedFilename()).toBe('invoice.pdf')
    const show = async (name: string) => {
      await page.getByRole('link', { name, exact: true }).click()
      return page.getByRole('region', { name: 'Content' }).textContent()
    }
    expect(await show('Text')).toContain('Hello Ann')
    expect(await show('Headers')).toMatch(/X-P[Mm]-Metadata-Order-I[Dd]/i)
    expect(await show('Source')).toContain('Content-Type: multipart/mixed')
    expect(await show('As delivered')).not.toMatch(/X-PM-Metadata/i)
  })

  it('tells the events and the webhook attempts as they happen', async () => {
    await send({ text: 'See https://example.com/a' })
    const page = await open(mailPath(0))
    await live(page)
    sandbox.addWebhook({ url: 'http://127.0.0.1:9/hook' })
    sandbox.open(sandbox.outbox[0]!)
    const timeline = page.locator('#timeline')
    await timeline.getByText('Opened').waitFor()
    await timeline.getByText('http://127.0.0.1:9/hook').waitFor()
    await page.getByRole('button', { name: 'Click' }).click()
    await timeline.getByText('https://example.com/a').first().waitFor()
    await page.getByLabel('Bounce type').selectOption({ label: 'Soft bounce' })
    await page.getByRole('button', { name: 'Bounce' }).click()
    await page.locator('#status').getByText('Bounced').waitFor()
    expect(sandbox.bounces).toMatchObject([{ type: 'SoftBounce' }])
  })
})

describe.skipIf(skipped)('the look', () => {
  // By the transport, which does not change the names of headers.
  beforeEach(async () => {
    const transport = createPostmarkTransport({ ...LOCAL, host: sandbox.host, ports: [sandbox.port] })
    for (const mail of SHOWCASE) await transport.sendMail(mail)
    await transport.close()
  })

  it('is dark where the system is', async () => {
    const page = await open()
    const brightness = async (colorScheme: 'light' | 'dark') => {
      await page.emulateMedia({ colorScheme })
      const colour = await page.evaluate<string>('getComputedStyle(document.body).backgroundColor')
      return Number(colour.match(/\d+/)?.[0])
    }
    expect(await brightness('light')).toBeGreaterThan(200)
    expect(await brightness('dark')).toBeLessThan(50)
  })

  it('fits a screen of 360 pixels', async () => {
    await send({
      subject: 'x'.repeat(500),
      to: `${'y'.repeat(60)}@${'z'.repeat(60)}.example`,
      headers: { 'X-PM-Tag': 't'.repeat(900) },
    })
    const page = await open('', { viewport: { width: 360, height: 740 } })
    const paths = [
      '',
      'help',
      ...[-1, -2].flatMap((index) =>
        ['', 'headers', 'source'].map((part) => `${mailPath(index)}?part=${part}`),
      ),
    ]
    for (const path of paths) {
      await page.goto(sandbox.inboxUrl + path)
      expect([path, await page.evaluate('document.documentElement.scrollWidth')]).toEqual([path, 360])
    }
  })

  it.each([
    ['no-preference', 'arrive'],
    ['reduce', 'none'],
  ] as const)(
    'with the motion preference %s marks a new email with the animation %s',
    async (reducedMotion, animation) => {
      const page = await open('', { reducedMotion })
      await live(page)
      await send({ subject: 'New' })
      await page.locator('tr.new').waitFor()
      const name = "getComputedStyle(document.querySelector('tr.new')).animationName"
      expect(await page.evaluate(name)).toBe(animation)
    },
  )

  it.each(SCHEMES)('has no serious fault of accessibility in %s colours', async (colorScheme) => {
    const page = await open('', { colorScheme })
    const mails = [mailPath(-1), ...['headers', 'source'].map((part) => `${mailPath(0)}?part=${part}`)]
    for (const path of ['', '?q=nothing+matches', 'help', ...mails]) {
      await page.goto(sandbox.inboxUrl + path)
      expect([path, await findFaults(page)]).toEqual([path, []])
    }
    await page.goto(sandbox.inboxUrl)
    await live(page)
    sandbox.clear()
    await page.getByText('No email yet').waitFor()
    expect(await findFaults(page)).toEqual([])
  })

  it.each([
    ['sandbox-inbox.png', ''],
    ['sandbox-mail.png', 'refused'],
  ])('is shown in docs/%s', async (name, wanted) => {
    const file = new URL(`../../../../../docs/${name}`, import.meta.url)
    const { outbox } = sandbox
    sandbox.open(outbox[0]!)
    sandbox.bounce(outbox[1]!, 'HardBounce')
    sandbox.complain(outbox[3]!)
    const page = await open(wanted === '' ? '' : mailPath(-1), {
      viewport: { width: 1100, height: wanted === '' ? 475 : 720 },
    })
    await live(page)
    if (process.env.UPDATE_SCREENSHOTS === '1')
      writeFileSync(file, await page.screenshot({ animations: 'disabled' }))
    expect(existsSync(file), `UPDATE_SCREENSHOTS=1 makes docs/${name}`).toBe(true)
    expect(statSync(file).size).toBeLessThan(150_000)
  })
})

/** What has the focus, and whether that can be seen. A text, since the tests know no types of the browser. */
const FOCUSED_ELEMENT = `(() => {
  const element = document.activeElement
  const { outlineStyle } = getComputedStyle(element, element.matches('.mails a') ? '::after' : null)
  return (element.name || element.textContent.trim()) + (outlineStyle === 'none' ? ' (unseen)' : '')
})()`

const LOCAL = {
  serverToken: '5a4db0c5-0000-4000-8000-706f73746d61',
  allowPlaintext: true,
  preflight: 'warn',
  onWarning: () => {},
} as const

const SHOWCASE = [
  ['Welcome to the shop', 'ann@example.com', 'welcome', 'outbound'],
  ['Your order 4201 is on its way', 'bob@example.com', 'shipping', 'outbound'],
  ['Receipt for order 4201', 'bob@example.com', 'receipt', 'receipts'],
  ['News in November', 'cem@example.com', 'news', 'broadcast'],
  ['Your order 4202 is on its way', 'dora@example.com', 'shipping', 'outbound'],
  ['Reset your password', 'ann@example.com', 'password', 'outbound'],
  ['Receipt for order 4202', 'dora@example.com', 'receipt', 'receipt'],
].map(([subject = '', to = '', tag = '', messageStream = ''], index) => ({
  from: 'Shop <shop@example.com>',
  to,
  subject,
  text: `${subject}: https://shop.example.com/orders/420${index}`,
  html: `<h1>${subject}</h1><p>See <a href="https://shop.example.com/orders/420${index}">your orders</a>.</p>`,
  postmark: { tag, messageStream, metadata: { 'order-id': `420${index}` } },
  headers: { 'X-PM-Track-Opens': 'true' },
}))

/** What axe finds that is serious or critical. */
async function findFaults(page: Page): Promise<string[]> {
  // The page's policy lets no script in; the debugger does.
  await page.evaluate(axe.source)
  const { violations } = await page.evaluate<{ violations: readonly Violation[] }>('axe.run()')
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html}`))
}

interface Violation {
  readonly id: string
  readonly impact: string
  readonly nodes: readonly { readonly html: string }[]
}
