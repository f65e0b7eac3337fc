import { existsSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { chromiumMissing } from '@postmark-smtp/testing'
import axe from 'axe-core'
import { createTransport } from 'nodemailer'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type Sandbox, startSandbox } from '../../sandbox.js'
import { INBOX_MESSAGE, launchBrowser, openPage } from '../../testing/inbox-browser.js'

const missing = chromiumMissing()
const skipped = missing !== undefined && process.env.REQUIRE_REAL_PARTS !== '1'
if (skipped) console.warn(`Skipped: ${missing}`)

/** What the links of the emails lead to, and what came there. */
const requests: string[] = []
const target = createServer((request, response) => {
  requests.push(`${request.method} ${request.url}`)
  if (request.url === '/moved') response.writeHead(302, { Location: '/here' })
  else if (request.url?.startsWith('/gone')) response.writeHead(404)
  else if (request.url === '/no-head' && request.method === 'HEAD') response.writeHead(405)
  response.end('x')
})
let away: string
let browser: Browser
let sandbox: Sandbox
/** What the browser had to complain about: errors of the script, and all that a policy refused. */
let complaints: string[]
beforeAll(async () => {
  await new Promise<void>((resolve) => target.listen(0, '127.0.0.1', resolve))
  away = `http://127.0.0.1:${(target.address() as AddressInfo).port}`
  if (!skipped) browser = await launchBrowser()
})
afterAll(async () => {
  await browser?.close()
  target.close()
})
beforeEach(async () => {
  complaints = []
  requests.length = 0
  sandbox = await startSandbox({ checkPrivateLinks: true })
})
afterEach(async () => {
  for (const context of browser?.contexts() ?? []) await context.close()
  await sandbox.close()
  expect(complaints).toEqual([])
})

const open = (path = '', options: BrowserContextOptions = {}): Promise<Page> =>
  openPage(browser, sandbox.inboxUrl + path, complaints, options)

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
  for (const mail of mails) await transport.sendMail({ ...INBOX_MESSAGE, ...mail })
  transport.close()
}
const mailPath = (index: number) => `mails/${sandbox.outbox.at(index)?.messageId}`
const subjects = (page: Page) => page.locator('.mails .subject a').allTextContents()
const heading = (page: Page, name: string) => page.getByRole('heading', { level: 1, name }).waitFor()
const live = (page: Page) => page.getByText('Live', { exact: true }).waitFor()
/** Evaluates in the frame of the email, once it is there. */
async function inFrame<T>(page: Page, expression: string): Promise<T> {
  await page.frameLocator('iframe').locator('p').first().waitFor()
  return page.frames()[1]!.evaluate<T>(expression)
}
const tagged = (tag: string) => ({ 'X-PM-Tag': tag })

describe.skipIf(skipped)('people', () => {
  it('shows senders and recipients by name in the list, and From, Reply-To, To, Cc and Bcc apart in the email', async () => {
    await send({
      from: 'Größe & Söhne <shop@example.com>',
      replyTo: 'Help <help@example.com>',
      to: ['Ann Bee <ann@example.com>', 'bob@example.com'],
      cc: '"Cem, D." <cem@example.com>',
      bcc: 'Eve <eve@example.com>',
    })
    const page = await open()
    const row = page.locator('.mails tbody tr')
    expect(await row.locator('.from').textContent()).toBe('Größe & Söhne')
    expect(await row.locator('.to').textContent()).toBe('Ann Bee +3')
    await page.getByRole('link', { name: 'Hello' }).click()
    const people = page.locator('.people')
    await people.waitFor()
    expect(await people.locator('dt').allTextContents()).toEqual(['From', 'Reply-To', 'To', 'Cc', 'Bcc'])
    expect(await people.locator('dd').allTextContents()).toEqual([
      'Größe & Söhne <shop@example.com>',
      'Help <help@example.com>',
      'Ann Bee <ann@example.com>, bob@example.com',
      'Cem, D. <cem@example.com>',
      'eve@example.com',
    ])
  })
})

describe.skipIf(skipped)('read and unread', () => {
  it('marks an email as read when it is opened, in another window too, and as unread again by key', async () => {
    await send({ subject: 'One' }, { subject: 'Two' })
    const other = await open('?status=unread')
    await live(other)
    expect(await subjects(other)).toEqual(['Two', 'One'])
    const page = await open()
    expect(await page.locator('.mails .unread').count()).toBe(2)
    await page.getByRole('link', { name: 'One' }).click()
    await heading(page, 'One')
    await other.getByText('1 of 2 emails').waitFor()
    expect(await subjects(other)).toEqual(['Two'])
    await live(page)
    await page.keyboard.press('u')
    await page.locator('.mails').waitFor()
    expect(await page.locator('.mails .unread').count()).toBe(2)
    await other.getByText('2 emails', { exact: true }).waitFor()
    await other.getByText('Clear…').click()
    await other.getByRole('button', { name: 'Mark all as read' }).click()
    await page.locator('.mails .unread').first().waitFor({ state: 'detached' })
    expect(await page.locator('.mails .unread').count()).toBe(0)
  })
})

describe.skipIf(skipped)('deleting', () => {
  it('deletes one email, and goes on at the next of the list', async () => {
    await send({ subject: 'One' }, { subject: 'Two' }, { subject: 'Three' })
    const page = await open(mailPath(1))
    await page.getByRole('button', { name: 'Delete' }).click()
    await page.locator('.mails').waitFor()
    expect(await subjects(page)).toEqual(['Three', 'One'])
    expect(await page.evaluate('document.activeElement.textContent')).toBe('One')
    expect(sandbox.outbox.map(({ subject }) => subject)).toEqual(['One', 'Three'])
  })

  it('deletes the filtered emails, and no other', async () => {
    await send({ headers: tagged('a') }, { subject: 'Stays', headers: tagged('b') }, { headers: tagged('a') })
    const page = await open('?tag=a')
    await page.getByText('Clear…').click()
    await page.getByRole('button', { name: 'Delete filtered (2)' }).click()
    await page.getByText('1 email', { exact: true }).waitFor()
    expect(await subjects(page)).toEqual(['Stays'])
  })
})

describe.skipIf(skipped)('the keyboard inside an email', () => {
  it('goes to the next and the previous email of the filtered list, and Esc comes back to its row', async () => {
    const mails = Array.from({ length: 120 }, (_, i) => ({ subject: `Mail ${i}`, headers: tagged('a') }))
    await send(...mails, { subject: 'Between' }, { subject: 'Last', headers: tagged('a') })
    const page = await open('?tag=a')
    await page.getByRole('link', { name: 'Last' }).click()
    await heading(page, 'Last')
    await page.keyboard.press('j')
    await heading(page, 'Mail 119')
    await page.keyboard.press('k')
    await heading(page, 'Last')
    await page.goto(`${sandbox.inboxUrl}?tag=a&page=2`)
    await page.getByRole('link', { name: 'Mail 10', exact: true }).click()
    await heading(page, 'Mail 10')
    await page.keyboard.press('j')
    await heading(page, 'Mail 9')
    await page.keyboard.press('Escape')
    await page.getByText('Page 2 of 2').waitFor()
    expect(new URL(page.url()).search).toBe('?tag=a&page=2')
    expect(await page.evaluate('document.activeElement.textContent')).toBe('Mail 9')
    await page.keyboard.press('j')
    expect(await page.evaluate('document.activeElement.textContent')).toBe('Mail 8')
  })
})

describe.skipIf(skipped)('the list', () => {
  it('shows the date beside the time of an email that is not of today, whole', async () => {
    await send({ subject: 'Old' })
    await sandbox.advance(86_400_000)
    await send({ subject: 'New' })
    const page = await open()
    const times = page.locator('.mails .time')
    const [today, before] = await times.allTextContents()
    expect(today).toMatch(/^\d\d:\d\d:\d\d$/)
    expect(before).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/)
    const overflow = "[...document.querySelectorAll('.time')].map((e) => e.scrollWidth - e.clientWidth)"
    expect(await page.evaluate(overflow)).toEqual([0, 0])
  })
})

describe.skipIf(skipped)('an email', () => {
  it('has its .eml in sight, byte by byte', async () => {
    await send({})
    const page = await open(mailPath(0))
    const link = page.getByRole('link', { name: 'Download .eml' })
    expect((await link.boundingBox())!.y).toBeLessThan(200)
    const [download] = await Promise.all([page.waitForEvent('download'), link.click()])
    expect(download.suggestedFilename()).toBe(`${sandbox.outbox[0]!.id}.eml`)
    const chunks: Buffer[] = []
    for await (const chunk of await download.createReadStream()) chunks.push(chunk as Buffer)
    expect(Buffer.concat(chunks)).toEqual(sandbox.outbox[0]!.raw)
  })

  it('shows the decoded HTML in a tab of its own', async () => {
    const html = `<p title="ü">${'Grüße '.repeat(40)}</p>`
    await send({ html, textEncoding: 'quoted-printable' })
    const page = await open(mailPath(0))
    await page.getByRole('link', { name: 'HTML source' }).click()
    expect(await page.locator('.content pre').textContent()).toContain(html)
  })

  it('shows its HTML as wide as a phone, a tablet and a desktop', async () => {
    await send({ html: '<p>Hello</p>' })
    const page = await open(mailPath(0), { viewport: { width: 1440, height: 900 } })
    const widthOf = async (name: string) => {
      await page.getByRole('link', { name, exact: true }).click()
      await page.locator(`.frame.${name.toLowerCase()}`).waitFor()
      return inFrame<number>(page, 'document.documentElement.clientWidth')
    }
    expect(await widthOf('Phone')).toBe(375)
    expect(await widthOf('Tablet')).toBe(768)
    expect(await widthOf('Desktop')).toBeGreaterThan(1200)
  })

  it.each(['light', 'dark'] as const)(
    'shows its HTML in light and dark where the system is %s',
    async (colorScheme) => {
      await send({
        html: '<style>p { color: rgb(1, 1, 1) } @media (prefers-color-scheme: dark) { p { color: rgb(2, 2, 2) } } @media (prefers-color-scheme: light) { p { font-size: 30px } }</style><p>Hello</p>',
      })
      const page = await open(mailPath(0), { colorScheme })
      const style = () =>
        inFrame<string[]>(
          page,
          "(({ color, fontSize }) => [color, fontSize])(getComputedStyle(document.querySelector('p')))",
        )
      expect(await style()).toEqual(['rgb(1, 1, 1)', '30px'])
      await page.getByRole('link', { name: 'Dark' }).click()
      await page.locator('.frame.dark').waitFor()
      expect(await style()).toEqual(['rgb(2, 2, 2)', '16px'])
    },
  )

  it('lists its links, and checks where they lead only when asked', async () => {
    await send({
      html: `<a href="${away}/here">a</a> <a href="${away}/moved">b</a> <a href="${away}/gone?a=1&amp;b=2">c</a>`,
      text: `${away}/no-head`,
    })
    const page = await open(mailPath(0))
    await page.getByRole('link', { name: 'Links (4)' }).click()
    await page.getByRole('button', { name: 'Check the links' }).waitFor()
    expect(requests).toEqual([])
    await page.getByRole('button', { name: 'Check the links' }).click()
    await page.getByRole('button', { name: 'Check the links again' }).waitFor()
    expect(await page.locator('.links tbody .reply').allTextContents()).toEqual(['200', '200', '404', '200'])
    expect(await page.locator('.links').textContent()).toContain(`Redirects to ${away}/here`)
    expect(requests.toSorted()).toEqual([
      ...['GET /gone?a=1&b=2', 'GET /no-head'],
      ...['HEAD /gone?a=1&b=2', 'HEAD /here', 'HEAD /here', 'HEAD /moved', 'HEAD /no-head'],
    ])
  })

  it('asks no private address when its links are checked, unless that was allowed', async () => {
    await sandbox.close()
    sandbox = await startSandbox()
    await send({
      text: `${away}/here http://localhost:${new URL(away).port}/ http://[::1]/ http://2130706433/`,
    })
    const page = await open(`${mailPath(0)}?part=links`)
    await page.getByRole('button', { name: 'Check the links' }).click()
    await page.getByRole('button', { name: 'Check the links again' }).waitFor()
    expect(await page.locator('.links tbody .reply').allTextContents()).toEqual(Array(4).fill('None'))
    expect(await page.locator('.links tbody p').first().textContent()).toBe(
      'not checked: 127.0.0.1 is not a public address',
    )
    expect(requests).toEqual([])
  })

  it('says which mail clients do not support what its HTML uses', async () => {
    await send({ html: '<div style="display:flex">x</div>' })
    const page = await open(`${mailPath(0)}?part=check`)
    const row = page.locator('.clients tr').filter({ hasText: 'display:flex' })
    await row.locator('summary').click()
    expect(await row.locator('p').first().textContent()).toContain('Outlook Windows')
  })

  it('shows attached images and texts in place, and only saves what a program would open', async () => {
    const png = Buffer.from(
      'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
      'base64',
    )
    const svg = '<svg xmlns="http://www.w3.org/2000/svg"></svg>'
    await send({
      attachments: [
        { filename: 'logo.png', content: png, contentType: 'application/octet-stream' },
        { filename: 'notes.csv', content: 'a,<b>', contentType: 'text/csv' },
        { filename: 'logo.svg', content: svg, contentType: 'image/svg+xml' },
        { filename: 'fake.png', content: svg, contentType: 'image/png' },
      ],
    })
    const page = await open(mailPath(0))
    const images = page.locator('.attachments img')
    await images.first().scrollIntoViewIfNeeded()
    expect(await images.count()).toBe(1)
    await expect.poll(() => page.evaluate("document.querySelector('.attachments img').naturalWidth")).toBe(1)
    await page.getByText('Show the text').click()
    expect(await page.locator('.attachments pre').allTextContents()).toEqual(['a,<b>'])
  })

  it('with a tag of 1,000 characters does not fill its panel with it', async () => {
    await send({ headers: tagged('t'.repeat(1000)) })
    const page = await open(mailPath(0))
    const panel = page.locator('.facts').first()
    expect((await panel.boundingBox())!.height).toBeLessThan(400)
    await page.getByText('(1000 characters)').click()
    expect(await panel.textContent()).toContain('t'.repeat(1000))
  })
})

describe.skipIf(skipped)('the look', () => {
  it('is shown in docs/sandbox-phone.png', async () => {
    const file = new URL('../../../../../docs/sandbox-phone.png', import.meta.url)
    await send({
      from: 'Shop <shop@example.com>',
      replyTo: 'Help <help@example.com>',
      to: 'Ann Bee <ann@example.com>',
      cc: 'Bob <bob@example.com>',
      subject: 'Your order 4201 is on its way',
      headers: tagged('shipping'),
      html: '<style>body { font: 16px sans-serif; margin: 24px; background: #fff; color: #222 } a { color: #1a56b8 } @media (prefers-color-scheme: dark) { body { background: #16181c; color: #eee } a { color: #8fb8ff } }</style><h1>On its way</h1><p>Ann, your order left us today.</p><p><a href="https://shop.example.com/orders/4201">Follow it</a></p>',
    })
    const page = await open(`${mailPath(0)}?width=phone&scheme=dark`, {
      viewport: { width: 1100, height: 800 },
    })
    await live(page)
    await inFrame(page, '1')
    if (process.env.UPDATE_SCREENSHOTS === '1')
      writeFileSync(file, await page.screenshot({ animations: 'disabled' }))
    expect(existsSync(file), 'UPDATE_SCREENSHOTS=1 makes docs/sandbox-phone.png').toBe(true)
    expect(statSync(file).size).toBeLessThan(150_000)
  })
})

describe.skipIf(skipped)('the new parts', () => {
  const HTML = `<style>@media (prefers-color-scheme: dark) { p { gap: 1px } }</style><p style="display:grid">${'x'.repeat(400)}</p><a href="https://example.com/${'y'.repeat(500)}">a</a>`
  const parts = ['html&width=phone&scheme=dark', 'html&width=desktop', 'markup', 'links', 'check']

  it.each(['light', 'dark'] as const)(
    'have no serious fault of accessibility in %s colours',
    async (colorScheme) => {
      await send({ html: HTML, cc: 'Bob <bob@example.com>', headers: tagged('t'.repeat(1000)) }, {})
      const page = await open('', { colorScheme })
      for (const path of ['', ...parts.map((part) => `${mailPath(0)}?part=${part}`)]) {
        await page.goto(sandbox.inboxUrl + path)
        await page.evaluate(axe.source)
        const found = await page.evaluate<string[]>(
          "axe.run().then(({ violations }) => violations.filter(({ impact }) => impact === 'serious' || impact === 'critical').flatMap(({ id, nodes }) => nodes.map(({ html }) => id + ': ' + html)))",
        )
        expect([path, found]).toEqual([path, []])
      }
    },
  )

  it('fit a screen of 360 pixels', async () => {
    const long = 'n'.repeat(100)
    await send({ html: HTML, from: `${long} <shop@example.com>`, cc: `${long} <bob@example.com>` })
    const page = await open('', { viewport: { width: 360, height: 740 } })
    for (const path of ['', ...parts.map((part) => `${mailPath(0)}?part=${part}`)]) {
      await page.goto(sandbox.inboxUrl + path)
      expect([path, await page.evaluate('document.documentElement.scrollWidth')]).toEqual([path, 360])
    }
  })

  it('are reached by the Tab key, with the focus to be seen', async () => {
    await send({ subject: 'One', html: HTML }, { subject: 'Two', html: HTML }, { subject: 'Three' })
    const page = await open(mailPath(1))
    const seen: string[] = []
    for (let step = 0; step < 25; step++) {
      await page.keyboard.press('Tab')
      seen.push(
        await page.evaluate<string>(
          "(document.activeElement.title || document.activeElement.textContent.trim()) + (getComputedStyle(document.activeElement).outlineStyle === 'none' ? ' (unseen)' : '')",
        ),
      )
    }
    expect(seen).toEqual([
      ...['Skip to content', 'Inbox', 'Help', '← Inbox', '↑ Newer', '↓ Older'],
      ...['Download .eml', 'Mark as unread', 'Delete'],
      ...['HTML', 'Text', 'HTML source', 'Headers', 'Source', 'As delivered', 'Links (1)', 'Mail clients'],
      ...['Fit', 'Phone', 'Tablet', 'Desktop', 'Light', 'Dark'],
      ...seen.slice(23),
    ])
  })
})
