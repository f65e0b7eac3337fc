import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { extname } from 'node:path'
import { CHROMIUM, chromiumMissing } from '@postmark-smtp/testing'
import axe from 'axe-core'
import { type Browser, chromium, type Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

/** The site as `npm run docs:build` made it, in a browser, as a static server such as GitHub's gives it out. */
const dist = new URL('./.vitepress/dist/', import.meta.url)
const { homepage } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  homepage: string
}
const base = new URL(homepage).pathname
const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.woff2': 'font/woff2',
}

const missing = chromiumMissing()
const skipped = missing !== undefined && process.env.REQUIRE_REAL_PARTS !== '1'
if (skipped) console.warn(`Skipped: ${missing}`)

/** The file of an address, which may leave out `.html`. */
function findFile(path: string): URL | undefined {
  const relative = path.slice(base.length)
  return [relative, `${relative}.html`, `${relative}index.html`]
    .map((each) => new URL(each, dist))
    .find((file) => existsSync(file) && statSync(file).isFile())
}

let server: Server
let browser: Browser
let origin: string
let page: Page
/** What the browser could not load, and errors of scripts. */
const complaints: string[] = []
beforeAll(async () => {
  if (skipped) return
  expect(existsSync(dist), 'There is no site yet: npm run docs:build').toBe(true)
  server = createServer(({ url = '' }, response) => {
    const { pathname } = new URL(url, 'http://localhost')
    const file = pathname.startsWith(base) ? findFile(decodeURIComponent(pathname)) : undefined
    if (file === undefined) response.writeHead(404).end()
    else
      response
        .writeHead(200, { 'content-type': TYPES[extname(file.pathname)] ?? 'application/octet-stream' })
        .end(readFileSync(file))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] })
  page = await browser.newPage({ viewport: { width: 1280, height: 800 } })
  page.on('pageerror', (error) => complaints.push(error.message))
  page.on(
    'console',
    (line) => line.type() === 'error' && complaints.push(`${line.text()} ${line.location().url}`),
  )
})
afterAll(async () => {
  await browser?.close()
  server?.closeAllConnections()
  server?.close()
})

interface Violation {
  readonly id: string
  readonly impact: string
  readonly nodes: readonly { readonly html: string }[]
}
/** What axe finds that is serious or critical. */
async function findFaults(): Promise<string[]> {
  await page.evaluate(axe.source)
  const { violations } = await page.evaluate<{ violations: readonly Violation[] }>('axe.run()')
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html}`))
}

const open = (path: string) => page.goto(origin + base + path, { waitUntil: 'networkidle' })
const sidebarTitles = () => page.locator('.VPSidebar section.level-0 > .item h2').allTextContents()

describe.skipIf(skipped)('the site', () => {
  it('opens, leads to a page by its sidebar, which goes by task, and complains of nothing', async () => {
    await open('')
    await page.getByRole('link', { name: 'Get started' }).click()
    await page.getByRole('heading', { level: 1, name: /^Getting started/ }).waitFor()
    expect(await sidebarTitles()).toEqual([
      'Start',
      'Send',
      'Context',
      'Queues and bulk',
      'Receive events',
      'Test',
      'Operate',
      'Reference',
    ])
    await page.locator('.VPSidebar').getByRole('link', { name: 'Webhooks', exact: true }).click()
    await page.getByRole('heading', { level: 1, name: /^Webhooks/ }).waitFor()
    expect(complaints).toEqual([])
  })

  it('finds a word by its own search, and opens what it found', async () => {
    await open('')
    await page.keyboard.press('Control+k')
    await page.getByRole('searchbox').fill('idempotencyKey')
    await page.locator('.VPLocalSearchBox .result').first().click()
    await page.waitForURL((url) => url.pathname !== base)
    expect(await page.locator('main').textContent()).toContain('idempotencyKey')
    expect(complaints).toEqual([])
  })

  it('has a reference of each export, with what its docstring says', async () => {
    await open('reference/core')
    const heading = page.getByRole('heading', { name: /^createPostmarkTransport/ })
    expect(await heading.locator('xpath=following-sibling::p[1]').textContent()).toMatch(/\w{3}.*\./)
  })

  it.each(['light', 'dark'] as const)(
    'has no serious fault for those who cannot see it, %s',
    async (scheme) => {
      await page.emulateMedia({ colorScheme: scheme })
      for (const path of ['', 'getting-started', 'compatibility', 'packages/core', 'reference/webhooks']) {
        await open(path)
        expect(await findFaults(), path).toEqual([])
      }
    },
  )

  it('gives llms.txt out as it is in the repository', async () => {
    const response = await fetch(`${origin}${base}llms.txt`)
    expect(await response.text()).toBe(readFileSync(new URL('../llms.txt', import.meta.url), 'utf8'))
  })

  it('has a page for each document', () => {
    const documents = readdirSync(new URL('./', import.meta.url)).filter((name) => name.endsWith('.md'))
    const pages = readdirSync(dist)
    expect(documents.filter((name) => !pages.includes(name.replace('.md', '.html')))).toEqual([])
  })
})
