import type { Context } from 'hono'
import { type Markup, PAGE_POLICY } from './layout.js'

/** Answers with a page, with the policy of pages. */
export function show(c: Context, page: Markup, status: 200 | 404 | 409 = 200): Response | Promise<Response> {
  return c.html(page, status, { 'Content-Security-Policy': PAGE_POLICY, 'X-DNS-Prefetch-Control': 'off' })
}
