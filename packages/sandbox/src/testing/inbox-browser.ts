import { CHROMIUM } from '@postmark-smtp/testing'
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core'

/** An email as the tests of the inbox page send it. */
export const INBOX_MESSAGE = {
  from: 'Shop <shop@example.com>',
  to: 'ann@example.com',
  subject: 'Hello',
  text: 'Hello Ann',
} as const

/** Starts the browser. */
export function launchBrowser(): Promise<Browser> {
  return chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] })
}

/**
 * Opens a page in its own context.
 * @param complaints gets errors of the page's script, and everything that a policy refused
 */
export async function openPage(
  browser: Browser,
  url: string,
  complaints: string[],
  options: BrowserContextOptions = {},
): Promise<Page> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options })
  const page = await context.newPage()
  page.on('pageerror', (error) => complaints.push(error.message))
  page.on('console', (line) => line.type() === 'error' && complaints.push(line.text()))
  await page.goto(url)
  return page
}
